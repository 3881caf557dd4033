//! What a backend keeps beside its rows to find them by: the same words whichever backend it is.
//!
//! All of it is derived from what is stored and never says more than that; whoever walks the audit trail derives it
//! anew and compares.

use crate::{
    StoreError,
    query::{actor_of, targets},
};
use gf_model::{audit::AuditEntry, fleet::Key};
use std::collections::BTreeSet;

/// What an audit row is found by.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// Microseconds since 1970, UTC.
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub targets: BTreeSet<String>,
}

impl Index {
    pub fn of(entry_json: &str) -> Result<Self, serde_json::Error> {
        let entry: AuditEntry = serde_json::from_str(entry_json)?;
        Ok(Self {
            at: entry.at.as_microsecond(),
            actor: actor_of(&entry).to_owned(),
            action: entry.action.clone(),
            targets: targets(&entry).map(str::to_owned).collect(),
        })
    }
}

/// A key's id as text: what its serialised form has under `id`.
pub fn id_of(key: &Key) -> Result<String, StoreError> {
    match key.id().map_err(StoreError::Unwritable)? {
        serde_json::Value::String(id) => Ok(id),
        other => {
            let why = format!("the id of {key:?} is no text: {other}");
            Err(StoreError::Unwritable(<serde_json::Error as serde::ser::Error>::custom(why)))
        }
    }
}
