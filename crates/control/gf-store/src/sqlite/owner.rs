//! One control plane per state directory: a locked file that names its owner's pid.
//!
//! The lock is the kernel's and ends with the process, however it ends; the pid in the file only serves the
//! message that a second one gets.

use crate::{StoreError, key::private_parent};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub struct Owner {
    _locked: File,
}

impl Owner {
    /// Locks the directory of a database.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        private_parent(database)?;
        let path: PathBuf = database.with_extension("owner");
        let failed = |source| StoreError::io(&path, "locking the state directory", source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The owner may be just writing it; a message without a pid is better than none.
                let _ = file.read_to_string(&mut pid);
                let pid = match pid.trim() {
                    "" => "unknown".to_owned(),
                    pid => pid.to_owned(),
                };
                let directory = database.parent().unwrap_or(database).to_owned();
                return Err(StoreError::Owned { path: directory, pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(failed)?;
        Ok(Self { _locked: file })
    }
}
