//! What a place that keeps the fleet must be able to do. SQLite and memory are here; PostgreSQL is in `gf-store-postgres`.
//!
//! A backend never decides anything: it is handed finished rows, and takes all of a commit or none of it.

use crate::{AuditQuery, StoreError};
use gf_model::{
    audit::{AuditEntry, AuditRow, GENESIS, row_hash},
    fleet::{Change, Fleet},
};
use std::{ops::ControlFlow, path::Path};

/// The newest row of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// 0 before the first row.
    pub seq: u64,
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl Head {
    /// Chains an entry to this head and moves the head onto it.
    pub fn extend(&mut self, entry: &AuditEntry) -> Result<StoredRow, StoreError> {
        let seq = self.seq + 1;
        let entry_json = serde_json::to_string(entry).map_err(StoreError::Unwritable)?;
        let hash = row_hash(seq, &self.hash, &entry_json);
        let previous = std::mem::replace(&mut self.hash, hash.clone());
        self.seq = seq;
        Ok(StoredRow { seq: seq as i64, entry_json, previous, hash, index_fits: true })
    }
}

/// An audit row as it lies in the backend: the exact bytes that its hash is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Signed, because whoever tampers is not held to the type.
    pub seq: i64,
    pub entry_json: String,
    pub previous: String,
    pub hash: String,
    /// False where something that the backend keeps beside the entry, to find it, does not agree with it.
    pub index_fits: bool,
}

impl StoredRow {
    pub fn parse(&self) -> Result<AuditRow, StoreError> {
        let entry = serde_json::from_str(&self.entry_json).map_err(|source| StoreError::Unreadable {
            kind: "audit row".into(),
            id: self.seq.to_string(),
            source,
        })?;
        Ok(AuditRow {
            seq: self.seq.unsigned_abs(),
            entry,
            previous: self.previous.clone(),
            hash: self.hash.clone(),
        })
    }
}

/// Bytes that the store keeps without knowing what they are: encrypted secrets. Never part of the [`Fleet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    pub id: String,
    pub sealed: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedChange {
    Put(SealedRow),
    Erase(String),
}

/// One transaction's outcome.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Counts transactions from 1, over restarts too.
    pub number: u64,
    pub changes: Vec<Change>,
    pub rows: Vec<StoredRow>,
    pub sealed: Vec<SealedChange>,
}

/// Everything that a control plane starts from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub fleet: Fleet,
    pub head: Head,
    /// The number of the newest transaction.
    pub number: u64,
    /// How many control planes have taken this state over so far.
    pub generation: u64,
}

/// Called by one writer; the reading methods may be called beside it from any thread.
pub trait Backend: Send + Sync + 'static {
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Makes the caller the only one who may commit: whoever took over before is refused from now on.
    fn take_over(&self) -> Result<u64, StoreError>;

    /// All batches in their order, durable when this returns, or none of them.
    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError>;

    /// Rows that fit the query, at most [`crate::AUDIT_LIMIT`].
    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError>;

    /// Every stored row by ascending number, as it lies there.
    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError>;

    /// Sealed rows whose id begins with `prefix`, by id.
    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError>;

    /// Whether whoever leads may still send anything to a provider or a node. False as soon as another control plane may
    /// have taken over; where there can be no other one, always true.
    fn may_act(&self) -> bool {
        true
    }

    /// A person says to go on without what this control plane knows and the database has lost.
    fn accept_loss(&self, _by: &str) -> Result<(), StoreError> {
        let why = "a store of one control plane never waits for such a word".to_owned();
        Err(StoreError::Unfit { place: "the store".to_owned(), why })
    }

    /// Writes everything there is, as of one commit, into a new file: see [`crate::CopyWriter`].
    fn copy_to(&self, _file: &Path) -> Result<(), StoreError> {
        let why = "it keeps nothing that outlives the process, so that there is nothing to copy".to_owned();
        Err(StoreError::Unfit { place: "the store".to_owned(), why })
    }

    /// Whether its calls wait for a disk or a network. One that does not is called where the caller stands,
    /// so that a simulation stays on one thread.
    fn blocks(&self) -> bool;

    /// Gives up ownership. Every later commit is refused.
    fn close(&self);
}
