//! Brings memory back: always into a fresh directory, checked file by file, never over a live one.

use super::{
    Cancel, Manifest, STATE_DIR, SnapshotError, archive, copy_tree, digest_of, manifest, read_manifest,
};
use crate::files;
use std::path::{Path, PathBuf};

/// Where memory comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Snapshot(PathBuf),
    Archive(PathBuf),
}

impl Source {
    /// A directory is a snapshot, a file is an archive.
    pub fn at(path: &Path) -> Self {
        if path.is_dir() { Self::Snapshot(path.to_owned()) } else { Self::Archive(path.to_owned()) }
    }
}

/// Puts the state into `fresh`, which must not exist, and returns what it is.
pub fn restore(source: &Source, fresh: &Path, cancel: &Cancel) -> Result<Manifest, SnapshotError> {
    if fresh.exists() {
        return Err(SnapshotError::Exists { path: fresh.display().to_string() });
    }
    let restored = bring_back(source, fresh, cancel);
    if restored.is_err() {
        files::remove_tree(fresh)?;
    }
    restored
}

fn bring_back(source: &Source, fresh: &Path, cancel: &Cancel) -> Result<Manifest, SnapshotError> {
    let (manifest, name) = match source {
        Source::Snapshot(path) => {
            let manifest = read_manifest(path)?;
            copy_tree(&path.join(STATE_DIR), fresh, cancel)?;
            (manifest, path)
        }
        Source::Archive(path) => (archive::unpack(path, fresh)?, path),
    };
    let found = manifest::describe(fresh)?;
    if digest_of(&found) != manifest.digest {
        return Err(SnapshotError::Corrupt {
            path: name.display().to_string(),
            why: first_difference(&manifest.files, &found),
        });
    }
    Ok(manifest)
}

fn first_difference(wanted: &[manifest::FileEntry], found: &[manifest::FileEntry]) -> String {
    for file in wanted {
        match found.iter().find(|other| other.path == file.path) {
            None => return format!("{} is missing", file.path),
            Some(other) if other.sha256 != file.sha256 => return format!("{} was changed", file.path),
            Some(_) => {}
        }
    }
    "it holds files that its manifest does not know".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{describe, seal};
    use std::fs;

    fn manifest() -> Manifest {
        Manifest {
            format: Manifest::FORMAT,
            id: "snap-1".into(),
            instance: "i-1".into(),
            account: "acct-1".into(),
            generation: 3,
            taken_at_ms: 7,
            frozen_ms: 1,
            openclaw_version: "2026.9.6".into(),
            state_dir: "/old/state".into(),
            changed: true,
            digest: String::new(),
            files: Vec::new(),
        }
    }

    fn snapshot(dir: &Path) -> PathBuf {
        let staging = dir.join("staging");
        fs::create_dir_all(staging.join("state/workspace")).unwrap();
        fs::write(staging.join("state/workspace/MEMORY.md"), "the word is heron").unwrap();
        let destination = dir.join("snap-1");
        let mut manifest = manifest();
        describe(&staging, &mut manifest).unwrap();
        assert_eq!(manifest.files.len(), 1);
        seal(&staging, &destination, &manifest).unwrap();
        destination
    }

    #[test]
    fn what_was_sealed_comes_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let source = Source::at(&snapshot(dir.path()));
        let fresh = dir.path().join("fresh");
        assert_eq!(restore(&source, &fresh, &Cancel::default()).unwrap().id, "snap-1");
        assert_eq!(fs::read_to_string(fresh.join("workspace/MEMORY.md")).unwrap(), "the word is heron");
        assert!(matches!(restore(&source, &fresh, &Cancel::default()), Err(SnapshotError::Exists { .. })));
    }

    #[test]
    fn a_changed_file_is_noticed_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = snapshot(dir.path());
        fs::write(path.join("state/workspace/MEMORY.md"), "the word is stork").unwrap();
        let fresh = dir.path().join("fresh");
        let why = restore(&Source::at(&path), &fresh, &Cancel::default()).unwrap_err();
        assert!(why.to_string().contains("MEMORY.md was changed"), "{why}");
        assert!(!fresh.exists());
    }

    #[test]
    fn an_archive_holds_the_same_and_a_damaged_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = snapshot(dir.path());
        let file = dir.path().join("arch-1.tar.gz");
        let packed = archive::pack(&path, &file).unwrap();
        assert_eq!(packed.bytes, fs::metadata(&file).unwrap().len());
        let fresh = dir.path().join("fresh");
        restore(&Source::at(&file), &fresh, &Cancel::default()).unwrap();
        assert_eq!(fs::read_to_string(fresh.join("workspace/MEMORY.md")).unwrap(), "the word is heron");

        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&file, bytes).unwrap();
        let other = dir.path().join("other");
        let why = restore(&Source::at(&file), &other, &Cancel::default()).unwrap_err();
        assert!(matches!(why, SnapshotError::Corrupt { .. }), "{why}");
        assert!(!other.exists());
    }
}
