//! A release that arrives piece by piece: what is here is kept over a cut, and only the whole of it gets its name.

use super::state::Released;
use crate::{
    files,
    host::{Failure, Outcome},
};
use gf_node_proto::FailureCode;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// A gf-clawnode is a tenth of it.
const LARGEST: u64 = 64 << 20;

/// How much of it is here afterwards. A piece that does not follow on what is here is left out, and the answer says so.
pub(super) fn take(path: &Path, release: &Released, offset: u64, chunk: &[u8]) -> Outcome<u64> {
    if release.size > LARGEST {
        return Err(Failure::invalid("release.size", release.size, format!("at most {LARGEST} bytes")));
    }
    if fs::metadata(path).is_ok_and(|there| there.len() == release.size) {
        return Ok(release.size);
    }
    if let Some(directory) = path.parent() {
        files::make_private_dir(directory)?;
    }
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&part)?;
    let here = file.metadata()?.len();
    if offset != here {
        return Ok(here);
    }
    if here + chunk.len() as u64 > release.size {
        return Err(spoilt(&part, release, "is longer than what was signed"));
    }
    file.write_all(chunk)?;
    let here = here + chunk.len() as u64;
    if here == release.size {
        settle(&file, &part, path, release)?;
    }
    Ok(here)
}

fn settle(file: &File, part: &Path, path: &Path, release: &Released) -> Outcome<()> {
    if hex::encode(Sha256::digest(fs::read(part)?)) != release.sha256 {
        return Err(spoilt(part, release, "does not have the digest that was signed"));
    }
    file.set_permissions(Permissions::from_mode(0o700))?;
    file.sync_all()?;
    fs::rename(part, path)?;
    Ok(files::sync_parent(path)?)
}

/// Nothing is kept of it, so that it can be sent anew.
fn spoilt(part: &Path, release: &Released, how: &str) -> Failure {
    if let Err(why) = fs::remove_file(part)
        && why.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(part = %part.display(), %why, "a spoilt release could not be removed");
    }
    Failure::new(FailureCode::Corrupt, format!("what arrived as release {} {how}", release.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::Release;

    fn release(program: &[u8]) -> Released {
        Released::of(&Release {
            version: "0.2.0".into(),
            sha256: Sha256::digest(program).to_vec(),
            size: program.len() as u64,
            signature: vec![1; 64],
        })
        .unwrap()
    }

    #[test]
    fn a_release_goes_on_where_it_was_cut_off_and_is_a_program_only_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let program = b"0123456789";
        let release = release(program);
        let path = release.path(dir.path());
        assert_eq!(take(&path, &release, 0, b"").unwrap(), 0);
        assert_eq!(take(&path, &release, 0, &program[..4]).unwrap(), 4);
        assert_eq!(take(&path, &release, 0, &program[..4]).unwrap(), 4, "the same piece again");
        assert_eq!(take(&path, &release, 8, &program[8..]).unwrap(), 4, "there is a gap before it");
        assert!(!path.exists());
        assert_eq!(take(&path, &release, 4, &program[4..]).unwrap(), 10);
        assert_eq!(fs::read(&path).unwrap(), program);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(take(&path, &release, 0, b"").unwrap(), 10, "it is here");
    }

    #[test]
    fn what_is_not_what_was_signed_is_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let release = release(b"0123456789");
        let path = release.path(dir.path());
        for wrong in [&b"01234567xx"[..], b"0123456789x"] {
            let why = take(&path, &release, 0, wrong).unwrap_err();
            assert_eq!(why.code(), FailureCode::Corrupt, "{why}");
            assert!(!path.exists());
            assert_eq!(take(&path, &release, 0, b"").unwrap(), 0);
        }
    }
}
