//! The tables, and which versions of them this program can read.

use super::error::failure;
use crate::{
    StoreError,
    expand::{Age, SCHEMA, Written},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

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

/// Where the oldest program that may go on is noted.
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
    written(connection, path)?.age(path)
}

/// What a database says of the records in it.
pub fn written(connection: &Connection, path: &Path) -> Result<Written, StoreError> {
    let said = |name: &str| {
        connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get::<_, i64>(0))
            .optional()
            .map(|said| said.map(i64::unsigned_abs))
            .map_err(|error| StoreError::Damaged { path: path.to_owned(), source: error.into() })
    };
    Ok(Written { schema: said("schema")?.unwrap_or_default(), from: said(FROM)? })
}

/// Notes that the records were written by a newer program.
pub fn note(connection: &Connection, written: Written) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)";
    connection.execute(put, params!["schema", written.schema as i64])?;
    match written.from {
        Some(from) => connection.execute(put, params![FROM, from as i64]).map(drop),
        None => Ok(()),
    }
}
