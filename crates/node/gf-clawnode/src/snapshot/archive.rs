//! What is kept of an instance after its teardown: a snapshot in one compressed file, read back before it
//! counts.

use super::{Manifest, STATE_DIR, SnapshotError, manifest};
use crate::files;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub bytes: u64,
    pub sha256: String,
}

/// Packs a snapshot's directory into `destination`, which gets its name only after it was read back whole.
pub fn pack(snapshot: &Path, destination: &Path) -> Result<Packed, SnapshotError> {
    if destination.exists() {
        return Err(SnapshotError::Exists { path: destination.display().to_string() });
    }
    let mut partial = destination.as_os_str().to_owned();
    partial.push(".part");
    let partial = Path::new(&partial);
    let packed = write(snapshot, partial).and_then(|()| verify(partial));
    match packed {
        Ok(packed) => {
            fs::rename(partial, destination)?;
            files::sync_parent(destination)?;
            Ok(packed)
        }
        Err(why) => {
            files::remove_tree(partial)?;
            Err(why)
        }
    }
}

fn write(snapshot: &Path, file: &Path) -> Result<(), SnapshotError> {
    let out = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file)?;
    let mut tar = tar::Builder::new(GzEncoder::new(BufWriter::new(out), Compression::new(4)));
    tar.follow_symlinks(false);
    tar.append_path_with_name(snapshot.join(manifest::FILE), manifest::FILE)?;
    tar.append_dir_all(STATE_DIR, snapshot.join(STATE_DIR))?;
    let mut buffered = tar.into_inner()?.finish()?;
    buffered.flush()?;
    buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}

/// Reads every byte back and compares it with the manifest.
pub fn verify(file: &Path) -> Result<Packed, SnapshotError> {
    let mut seen = Vec::new();
    let manifest = walk(file, |path, entry| {
        let mode = entry.header().mode().unwrap_or(0o600) & 0o777;
        let (size, sha256) = manifest::hash_reader(entry)?;
        seen.push(manifest::FileEntry { path: path.to_owned(), size, mode, sha256 });
        Ok(())
    })?;
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    if super::digest_of(&seen) != manifest.digest {
        return Err(corrupt(file, "what was written is not what was read back"));
    }
    let (bytes, sha256) = manifest::hash_reader(File::open(file)?)?;
    Ok(Packed { bytes, sha256 })
}

/// What an archive says of itself.
pub fn read_manifest(file: &Path) -> Result<Manifest, SnapshotError> {
    walk(file, |_, _| Ok(()))
}

/// Unpacks an archive's state into a fresh directory.
pub(super) fn unpack(file: &Path, fresh: &Path) -> Result<Manifest, SnapshotError> {
    files::make_private_dir(fresh)?;
    walk(file, |path, entry| {
        let target = fresh.join(path);
        if let Some(parent) = target.parent() {
            files::make_private_dir(parent)?;
        }
        let mode = entry.header().mode().unwrap_or(0o600) & 0o700;
        let mut out = OpenOptions::new().create_new(true).write(true).mode(mode).open(&target)?;
        io::copy(entry, &mut out).map(drop)
    })
}

/// Hands every regular file of the state to `each`; returns the manifest, which comes first.
fn walk(
    file: &Path,
    mut each: impl FnMut(&str, &mut tar::Entry<'_, GzDecoder<BufReader<File>>>) -> io::Result<()>,
) -> Result<Manifest, SnapshotError> {
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(File::open(file)?)));
    let damaged = |why: io::Error| corrupt(file, &why.to_string());
    let mut manifest = None;
    for entry in tar.entries()? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(damaged)?.into_owned();
        // An archive may come from elsewhere: nothing in it may leave the directory that it is unpacked into.
        if path.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(corrupt(file, "it holds a path that leads out of it"));
        }
        if path == Path::new(manifest::FILE) {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(damaged)?;
            manifest = Some(serde_json::from_slice(&text).map_err(|why| corrupt(file, &why.to_string()))?);
        } else if let Some(inner) = path.strip_prefix(STATE_DIR).ok().and_then(Path::to_str) {
            each(inner, &mut entry).map_err(damaged)?;
        }
    }
    manifest.ok_or_else(|| corrupt(file, "it has no manifest"))
}

fn corrupt(file: &Path, why: &str) -> SnapshotError {
    SnapshotError::Corrupt { path: file.display().to_string(), why: why.to_owned() }
}
