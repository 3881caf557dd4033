//! What can go wrong with secrets. No message holds any part of a value or of a key.

use gf_store::{StoreError, TransactError};
use std::{io, path::PathBuf, sync::Arc};

#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error(
        "{given:?} is no name of a secret: use 1 to 64 of a-z, 0-9, '-', '_', '.' and '/', such as telegram/bot-token"
    )]
    BadName { given: String },
    #[error("a secret of {bytes} bytes cannot be kept: it must have 1 to {limit}")]
    BadSize { bytes: usize, limit: usize },
    #[error("{scope} has no secret {name}")]
    Unknown { scope: String, name: String },
    #[error("{scope} has no version {version} of the secret {name}")]
    UnknownVersion { scope: String, name: String, version: u64 },
    #[error("{who} may not have secrets of {scope}: {why}")]
    NotTheirs { who: String, scope: String, why: String },
    #[error("version {version} of the secret {name} of {scope} is not what was stored; set it anew")]
    Tampered { scope: String, name: String, version: u64 },
    #[error(
        "the master key in {path} is not the one that these secrets were encrypted with; put the right one back"
    )]
    KeyDoesNotFit { path: PathBuf },
    #[error("the master key {path} is gone, and secrets were encrypted with it; put it back from a copy")]
    KeyGone { path: PathBuf },
    #[error("{path} holds no master key: it should be 64 hex digits; put it back from a copy")]
    BadKey { path: PathBuf },
    #[error("others may read the master key {path} (mode {mode:o}); run: chmod 600 {path}")]
    KeyIsOpen { path: PathBuf, mode: u32 },
    #[error("{path}: {doing} failed")]
    Io {
        path: PathBuf,
        doing: &'static str,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Store(Arc<StoreError>),
}

impl From<StoreError> for SecretsError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Arc<StoreError>> for SecretsError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}

impl From<TransactError<SecretsError>> for SecretsError {
    fn from(error: TransactError<SecretsError>) -> Self {
        match error {
            TransactError::Refused(error) => error,
            TransactError::Store(error) => Self::Store(error),
        }
    }
}
