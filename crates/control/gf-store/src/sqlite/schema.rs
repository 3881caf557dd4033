//! The tables, and which versions of them this program can read.

use super::error::failure;
use crate::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// Raised with every change that an older program would misread or stumble over, in whichever database: 2 brought
/// schedules and usage.
pub const SCHEMA: u64 = 2;

pub const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE objects (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, entry_json TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
  at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE TABLE audit_targets (target TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (target, seq)) WITHOUT ROWID;
CREATE INDEX audit_targets_of ON audit_targets (seq);
CREATE TABLE sealed (id TEXT PRIMARY KEY, sealed TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('schema', 2), ('generation', 0), ('number', 0);
";

/// The tables can be used. `Expanded`: by a newer program too, and what that one wrote is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Own,
    Expanded,
}

/// The oldest program that may go on with a database that a newer one has written to. A newer program that only adds
/// (kinds of records, fields that may be absent) raises `schema` and leaves this; one that takes something away raises both.
const FROM: &str = "from";

pub fn prepare(connection: &mut Connection, path: &Path) -> Result<Age, StoreError> {
    let tx = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(|error| failure(path, error))?;
    let is_new: bool = tx
        .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
        .map_err(|error| failure(path, error))?;
    if is_new {
        tx.execute_batch(TABLES).map_err(|error| failure(path, error))?;
    }
    let age = age(&tx, path)?;
    // All that an older one holds is read as it stands; an older program is kept from what is added now.
    tx.execute("UPDATE meta SET value = max(value, ?1) WHERE key = 'schema'", [SCHEMA as i64])
        .and_then(|_| tx.commit())
        .map_err(|error| failure(path, error))?;
    Ok(age)
}

/// What this program may do with a database, by what that says of itself.
pub fn age(connection: &Connection, path: &Path) -> Result<Age, StoreError> {
    let found = connection
        .query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get::<_, i64>(0))
        .optional()
        .map(|found| found.map_or(0, i64::unsigned_abs))
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), source: error.into() })?;
    match found {
        1..=SCHEMA => Ok(Age::Own),
        newer if newer > SCHEMA && goes_on(connection, path)? => Ok(Age::Expanded),
        newer if newer > SCHEMA => {
            Err(StoreError::Newer { path: path.to_owned(), found: newer, known: SCHEMA })
        }
        older => Err(StoreError::Damaged {
            path: path.to_owned(),
            source: format!("it claims schema {older}, which no version ever wrote").into(),
        }),
    }
}

fn goes_on(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [FROM], |row| row.get::<_, i64>(0))
        .optional()
        .map(|from| from.is_some_and(|from| from.unsigned_abs() <= SCHEMA))
        .map_err(|error| failure(path, error))
}
