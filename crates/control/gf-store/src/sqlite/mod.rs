//! The embedded default: one SQLite file in WAL mode, synced on every commit, owned by one process.
//!
//! Nobody else may write to the file while a control plane runs; reading it with other tools is fine.

pub(crate) mod audit;
pub(crate) mod error;
pub(crate) mod load;
mod owner;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

use crate::{
    AuditQuery, Backend, Batch, StoreError,
    backend::{Head, Loaded, SealedChange, SealedRow, StoredRow},
    expand::{self, Age},
    index::id_of,
    key::sync_parent,
};
use error::failure;
use gf_model::{audit::AuditRow, fleet::Change};
pub use owner::Owner;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a foreign reader's lock is waited for.
const BUSY: Duration = Duration::from_secs(2);

const PUT: &str = "INSERT INTO objects VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET json = excluded.json";

/// The log's pages are taken over into the database after so many.
const WRITTEN_BACK_AFTER_PAGES: u32 = 8 * 1024;
/// The most that the writer's cache may grow to.
const CACHE_KIB: u32 = 64 * 1024;

pub struct SqliteBackend {
    path: PathBuf,
    /// `None` once closed. The lock file goes with it.
    writer: Mutex<Option<(Connection, Owner)>>,
    reader: Mutex<Connection>,
    age: Age,
}

impl SqliteBackend {
    /// Opens the database, making it where there is none, and takes the state directory for this process.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let owner = Owner::take(path)?;
        // Made here and not by SQLite, so that it is private from its first moment on.
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .and_then(|_| sync_parent(path))
            .map_err(|source| StoreError::io(path, "opening the database", source))?;
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Before any setting is changed: what is not ours or too new is left as it is.
        let age = schema::prepare(&mut writer, path)?;
        let durable = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";
        writer.execute_batch(durable).map_err(|error| failure(path, error))?;
        // A large fleet's rows change all over the file: they are written back seldom, and looked up in memory.
        let pace = format!(
            "PRAGMA wal_autocheckpoint = {WRITTEN_BACK_AFTER_PAGES}; PRAGMA cache_size = -{CACHE_KIB};"
        );
        writer.execute_batch(&pace).map_err(|error| failure(path, error))?;
        let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(Some((writer, owner))),
            reader: Mutex::new(reader),
            age,
        })
    }

    /// The next control plane of this state counts on from at least this number: whoever led it before under a lower
    /// one is refused by every node that has heard of this one.
    pub fn raise_generation(&self, at_least: u64) -> Result<(), StoreError> {
        let at_least = i64::try_from(at_least).unwrap_or(i64::MAX);
        self.write(|tx| {
            tx.execute("UPDATE meta SET value = max(value, ?1) WHERE key = 'generation'", [at_least])
                .map(drop)
                .map_err(|error| failure(&self.path, error))
        })
    }

    /// Opens a database to be read and never written: every commit is refused.
    pub(crate) fn look(path: &Path) -> Result<Self, StoreError> {
        let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let age = schema::age(&reader, path)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(None), reader: Mutex::new(reader), age })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut guard = self.writer.lock();
        let (connection, _) = guard.as_mut().ok_or(StoreError::Closed)?;
        let fail = |error| failure(&self.path, error);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let value = work(&tx)?;
        tx.commit().map_err(fail)?;
        Ok(value)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&self.reader.lock())
    }

    /// A record with what a newer program wrote into it.
    fn keeping(
        &self,
        tx: &Transaction<'_>,
        json: String,
        kind: &str,
        id: &str,
    ) -> Result<String, StoreError> {
        let stored: Option<String> = tx
            .prepare_cached("SELECT json FROM objects WHERE kind = ?1 AND id = ?2")
            .and_then(|mut find| find.query_row([kind, id], |row| row.get(0)).optional())
            .map_err(|error| failure(&self.path, error))?;
        expand::keeping(json, stored.as_deref())
    }

    fn put_batch(&self, tx: &Transaction<'_>, head: &mut Head, batch: &Batch) -> Result<(), StoreError> {
        let fail = |error| failure(&self.path, error);
        for change in &batch.changes {
            match change {
                Change::Put(record) => {
                    let key = record.key();
                    let id = id_of(&key)?;
                    let json = serde_json::to_string(record).map_err(StoreError::Unwritable)?;
                    let json = match self.age {
                        Age::Own => json,
                        Age::Expanded => self.keeping(tx, json, key.kind(), &id)?,
                    };
                    tx.prepare_cached(PUT)
                        .and_then(|mut put| put.execute(params![key.kind(), id, json]))
                        .map_err(fail)?;
                }
                Change::Delete(key) => {
                    let id = id_of(key)?;
                    tx.prepare_cached("DELETE FROM objects WHERE kind = ?1 AND id = ?2")
                        .and_then(|mut delete| delete.execute(params![key.kind(), id]))
                        .map_err(fail)?;
                }
            }
        }
        for row in &batch.rows {
            if row.seq != head.seq as i64 + 1 || row.previous != head.hash {
                return Err(StoreError::BrokenChain { given: row.seq.unsigned_abs(), last: head.seq });
            }
            audit::put(tx, row).map_err(fail)?;
            *head = Head { seq: row.seq.unsigned_abs(), hash: row.hash.clone() };
        }
        for change in &batch.sealed {
            match change {
                SealedChange::Put(row) => tx
                    .prepare_cached("INSERT OR REPLACE INTO sealed VALUES (?1, ?2)")
                    .and_then(|mut put| put.execute([&row.id, &row.sealed])),
                SealedChange::Erase(id) => tx
                    .prepare_cached("DELETE FROM sealed WHERE id = ?1")
                    .and_then(|mut erase| erase.execute([id])),
            }
            .map_err(fail)?;
        }
        Ok(())
    }
}

impl Backend for SqliteBackend {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.read(|connection| {
            let fail = |error| failure(&self.path, error);
            // One read transaction: everything is as of one commit.
            let tx = connection.unchecked_transaction().map_err(fail)?;
            let fleet = load::fleet(&tx, &self.path, self.age)?;
            Ok(Loaded {
                fleet,
                head: audit::head(&tx).map_err(fail)?,
                number: meta(&tx, "number").map_err(fail)?,
                generation: meta(&tx, "generation").map_err(fail)?,
            })
        })
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        self.write(|tx| {
            let raise = "UPDATE meta SET value = value + 1 WHERE key = 'generation' RETURNING value";
            tx.query_row(raise, [], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
                .map_err(|error| failure(&self.path, error))
        })
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        let Some(last) = batches.last() else { return Ok(()) };
        self.write(|tx| {
            let fail = |error| failure(&self.path, error);
            let theirs = meta(tx, "generation").map_err(fail)?;
            if theirs != generation {
                return Err(StoreError::Deposed { ours: generation, theirs });
            }
            let mut head = audit::head(tx).map_err(fail)?;
            for batch in batches {
                self.put_batch(tx, &mut head, batch)?;
            }
            tx.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'number'")
                .and_then(|mut put| put.execute([last.number as i64]))
                .map_err(fail)?;
            Ok(())
        })
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.read(|connection| {
            let rows = audit::find(connection, query).map_err(|error| failure(&self.path, error))?;
            rows.iter().map(StoredRow::parse).collect()
        })
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        // A connection of its own: a long walk must not hold up those who ask for a page of rows.
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        audit::scan(&connection, visit).map_err(|error| failure(&self.path, error))
    }

    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        self.read(|connection| {
            let find =
                "SELECT id, sealed FROM sealed WHERE id >= ?1 AND substr(id, 1, length(?1)) = ?1 ORDER BY id";
            connection
                .prepare_cached(find)
                .and_then(|mut find| {
                    find.query_map([prefix], |row| Ok(SealedRow { id: row.get(0)?, sealed: row.get(1)? }))?
                        .collect()
                })
                .map_err(|error| failure(&self.path, error))
        })
    }

    fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        // A connection of its own: nobody waits for a copy. It reads as of one commit, however many follow meanwhile.
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let to = file.to_string_lossy();
        connection.execute("VACUUM INTO ?1", [&to]).map(drop).map_err(|error| failure(file, error))
    }

    fn blocks(&self) -> bool {
        true
    }

    fn close(&self) {
        self.writer.lock().take();
    }
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| failure(path, error))?;
    connection.busy_timeout(BUSY).map_err(|error| failure(path, error))?;
    Ok(connection)
}

pub(crate) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get::<_, i64>(0))
        .optional()
        .map(|value| value.map_or(0, i64::unsigned_abs))
}
