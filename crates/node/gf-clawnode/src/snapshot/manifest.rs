//! What a copy holds, file by file, so that a damaged one is noticed before it is used.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Beside the manifest.
pub const STATE_DIR: &str = "state";
pub(super) const FILE: &str = "manifest.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: u32,
    pub id: String,
    pub instance: String,
    pub account: String,
    pub generation: u64,
    pub taken_at_ms: i64,
    pub frozen_ms: u32,
    pub openclaw_version: String,
    /// Where the state lay, to move the paths in its configuration.
    pub state_dir: String,
    /// Whether the memory differs from that of the snapshot before it.
    pub changed: bool,
    #[serde(default)]
    pub digest: String,
    #[serde(default)]
    pub files: Vec<FileEntry>,
}

impl Manifest {
    pub const FORMAT: u32 = 1;

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileEntry {
    /// Relative to the state directory.
    pub path: String,
    pub size: u64,
    pub mode: u32,
    pub sha256: String,
}

impl Manifest {
    /// One number for what the user would miss: sessions, memory, workspace and configuration. OpenClaw's own books
    /// below `state/` change every minute without anybody having said a word.
    pub fn memory_digest(&self) -> String {
        let said = |file: &&FileEntry| !file.path.starts_with("state/");
        digest_of(&self.files.iter().filter(said).cloned().collect::<Vec<_>>())
    }
}

/// One number for all contents, to check a copy by.
pub fn digest_of(files: &[FileEntry]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.path.as_bytes());
        hash.update([0]);
        hash.update(file.sha256.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// Every regular file below `root`, sorted by path. Links and directories are not memory.
pub(super) fn describe(root: &Path) -> io::Result<Vec<FileEntry>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(directory: &Path, prefix: &str, files: &mut Vec<FileEntry>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if meta.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if meta.is_file() {
            let (size, sha256) = hash_reader(File::open(entry.path())?)?;
            files.push(FileEntry { path, size, mode: meta.permissions().mode() & 0o777, sha256 });
        }
    }
    Ok(())
}

pub(super) fn hash_reader(mut reader: impl io::Read) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
}
