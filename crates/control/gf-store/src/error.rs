//! Everything that can go wrong with the store, in words for the person who must repair it.

use std::{io, path::PathBuf, sync::Arc};

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the state in {path} belongs to a running control plane (pid {pid}); stop that one first, \
         or give this one another CLAWOPS_HOME"
    )]
    Owned { path: PathBuf, pid: String },
    #[error(
        "{path} was written by a newer version: it has schema {found} and this one knows schema {known}; \
         start the newer version, or restore a copy that was made before the upgrade (clawops store restore --replace)"
    )]
    Newer { path: PathBuf, found: u64, known: u64 },
    #[error("no space is left for {path}; nothing was changed: free some and ask again")]
    Full {
        path: PathBuf,
        #[source]
        source: Source,
    },
    #[error("{path} cannot be written; nothing was changed: make it writable for this user and ask again")]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: Source,
    },
    #[error("{path} is held by another program; nothing was changed: end that program and ask again")]
    Busy {
        path: PathBuf,
        #[source]
        source: Source,
    },
    #[error("{path} is damaged or is no database of a control plane; restore it from a copy")]
    Damaged {
        path: PathBuf,
        #[source]
        source: Source,
    },
    #[error("the stored {kind} {id} cannot be read by this version")]
    Unreadable {
        kind: String,
        id: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("somebody else has changed it since it was seen; nothing was changed: read it again")]
    NotAsSeen,
    #[error("a record could not be written as JSON; nothing was changed")]
    Unwritable(#[source] serde_json::Error),
    #[error(
        "another control plane has taken over (generation {theirs}, this one has {ours}); nothing was changed: \
         this one must stop"
    )]
    Deposed { ours: u64, theirs: u64 },
    #[error(
        "audit row {given} does not follow row {last}, the last one stored; nothing was changed: \
         somebody else has written to the audit trail"
    )]
    BrokenChain { given: u64, last: u64 },
    #[error("{path}: the database refused; nothing was changed")]
    Database {
        path: PathBuf,
        #[source]
        source: Source,
    },
    #[error("{path}: {doing} failed")]
    Io {
        path: PathBuf,
        doing: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("{path} holds no audit key: {why}")]
    BadKey { path: PathBuf, why: String },
    #[error(
        "the fleet in {place} belongs to a running control plane ({holder}); stop that one first, or give this one \
         another database"
    )]
    Leased { place: String, holder: String },
    #[error(
        "this control plane follows another one ({holder}), which decides; nothing was changed: ask {api}"
    )]
    Following { holder: String, api: String },
    #[error("the database at {place} cannot be reached; nothing was changed: start it and ask again")]
    Away {
        place: String,
        #[source]
        source: Source,
    },
    #[error(
        "the database at {place} has lost what it had acknowledged: its newest transaction is {stored}, and {known} is \
         known here ({} lost), as after a failover to a replica that lagged; nothing goes on until an admin says so: \
         put the lost part back, or accept the loss (docs/controllers.md, \"What a failover loses\")", known.saturating_sub(*stored)
    )]
    WentBack { place: String, stored: u64, known: u64 },
    #[error("the database at {place} cannot keep a fleet: {why}")]
    Unfit { place: String, why: String },
    #[error("the connection to {place} ended before the commit; nothing was changed: ask again")]
    Cut {
        place: String,
        #[source]
        source: Source,
    },
    #[error(
        "the connection to {place} ended in the middle of a commit, and it could not be asked what became of it: \
         it may have been kept or not; look at what stands before you ask again"
    )]
    Uncertain {
        place: String,
        #[source]
        source: Source,
    },
    #[error("the store was closed")]
    Closed,
}

/// Why a transaction did not happen. Nothing was changed, unless [`StoreError::may_have_happened`].
#[derive(Debug, thiserror::Error)]
pub enum TransactError<E> {
    /// The decision itself said no.
    #[error("{0}")]
    Refused(E),
    /// What was decided could not be made durable. All who waited for one commit share the error.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl StoreError {
    /// Whether nobody can say yet if the change was kept. Every other error means that nothing was changed.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Uncertain { .. })
    }

    /// A file system's error, by what a person must do about it.
    pub(crate) fn io(path: impl Into<PathBuf>, doing: &'static str, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { path, source: source.into() }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { path, source: source.into() }
            }
            _ => Self::Io { path, doing, source },
        }
    }
}
