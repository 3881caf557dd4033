//! A store that is only looked at: by a person who must know how things stand while no control plane answers.
//!
//! It must never write a byte into the state: nothing is opened for writing, nothing is locked for longer than it takes
//! to see whether somebody owns it, and no table, key or file is made. What it says is as of the moment of opening.

use crate::{
    AuditKey, AuditQuery, Backend, SqliteBackend, StoreError, Verification, backend::Loaded, heads::Heads,
    verify,
};
use gf_model::audit::AuditRow;
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// Whether a control plane has the state at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    ByARunningOne,
    /// Nobody has it; a lock that a dead one left says nothing.
    ByNobody,
}

pub struct Look {
    backend: Arc<dyn Backend>,
    pub loaded: Loaded,
    heads: Option<Heads>,
    pub owned: Owned,
    /// The copy that is looked at, removed with the last look.
    _copy: Option<TempDir>,
}

impl Look {
    /// The fleet in a file of the home.
    pub fn at_file(home: &Path) -> Result<Self, StoreError> {
        let path = home.join("store/gatewayforge.db");
        if !path.exists() {
            let missing = std::io::ErrorKind::NotFound.into();
            return Err(StoreError::io(&path, "reading the database", missing));
        }
        let owned = owned(&path)?;
        // Beside a running owner SQLite itself keeps readers apart from its writes. Where none runs, what a dead one left
        // has to be put together first: that is done in a copy, so that not even an index of the log is written here.
        let (looked_at, copy) = match owned {
            Owned::ByARunningOne => (path, None),
            Owned::ByNobody => {
                let copy = copied(&path)?;
                (copy.path().join("gatewayforge.db"), Some(copy))
            }
        };
        let backend: Arc<dyn Backend> = Arc::new(SqliteBackend::look(&looked_at)?);
        Self::at(backend, home, owned, copy)
    }

    /// The fleet elsewhere, through a backend that only reads.
    pub fn through(backend: Arc<dyn Backend>, home: &Path) -> Result<Self, StoreError> {
        let owned = owned(&home.join("store/gatewayforge.db"))?;
        Self::at(backend, home, owned, None)
    }

    fn at(
        backend: Arc<dyn Backend>,
        home: &Path,
        owned: Owned,
        copy: Option<TempDir>,
    ) -> Result<Self, StoreError> {
        let loaded = backend.load()?;
        let key = AuditKey::open(&home.join("keys/audit.key"))?;
        let heads = key.map(|key| Heads::only_reading(home.join("audit/heads.jsonl"), key));
        Ok(Self { backend, loaded, heads, owned, _copy: copy })
    }

    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.backend.audit(query)
    }

    /// Walks the whole trail, against the signed heads of this home where its key is there.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        let heads = self.heads.as_ref().map(Heads::read).transpose()?.unwrap_or_default();
        let head = self.loaded.head.clone();
        verify::verify(|visit| self.backend.scan_audit(visit), || head.clone(), &heads)
    }
}

/// Asked by trying for a shared lock, which is given back at once.
fn owned(database: &Path) -> Result<Owned, StoreError> {
    let path = database.with_extension("owner");
    let failed = |source| StoreError::io(&path, "asking who owns the state", source);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Owned::ByNobody),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Owned::ByNobody),
        Err(TryLockError::WouldBlock) => Ok(Owned::ByARunningOne),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The database and what of its log was not taken over yet, in a directory for this user alone.
fn copied(database: &Path) -> Result<TempDir, StoreError> {
    let log = PathBuf::from(format!("{}-wal", database.display()));
    let copy = || {
        let directory = tempfile::tempdir()?;
        fs::copy(database, directory.path().join("gatewayforge.db"))?;
        if log.exists() {
            fs::copy(&log, directory.path().join("gatewayforge.db-wal"))?;
        }
        Ok(directory)
    };
    copy().map_err(|source| StoreError::io(database, "copying the database to look at it", source))
}
