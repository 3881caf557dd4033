//! A copy of everything that the store keeps, in one file that can be read without the store: the objects, the audit trail
//! with its signed heads, and what is sealed, as it is sealed.
//!
//! The file is an SQLite database whatever the fleet is kept in. It never holds a key: who has the copy alone can open no
//! secret. A copy is written down as good only after it was read back whole ([`inspect`]).

use crate::{
    AuditKey, FleetStore, StoreError, Verification, heads,
    key::{private_parent, sync_parent},
    sqlite::{audit, error::failure, load, schema},
    verify,
};
use gf_model::{Timestamp, fleet::Fleet};
use rusqlite::{Connection, OpenFlags, params};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const NOTES: &str =
    "CREATE TABLE IF NOT EXISTS copy (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
/// A generation counts starts. Between a copy and its restoring there may have been as many of them, surely.
const STARTS_SINCE: u64 = 1 << 20;

/// What a copy says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyNote {
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub program: String,
    /// Fingerprints of the keys that it is of no use without, by the names of their files.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

/// What was found in a copy.
#[derive(Debug, Clone)]
pub struct Inspected {
    pub note: CopyNote,
    pub fleet: Fleet,
    pub sealed: u64,
    /// The newest transaction in it.
    pub number: u64,
    pub generation: u64,
    pub trail: Verification,
}

impl FleetStore {
    /// Copies everything, as of one commit, into a new file that only its owner can read, and reads it back.
    pub async fn back_up(&self, file: PathBuf, note: CopyNote) -> Result<Inspected, StoreError> {
        self.off_thread(move |store| {
            // Before the rows: what is signed must be in the copy.
            let heads = store.heads.as_deref();
            let signed = heads.map_or(Ok(String::new()), |heads| heads.text())?;
            private_parent(&file)?;
            // What an interrupted copy left is written over; the file is private before anything is in it.
            let _ = fs::remove_file(&file);
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)
                .map_err(|source| StoreError::io(&file, "making the copy", source))?;
            store.shared.backend.copy_to(&file)?;
            annotate(&file, &note, &signed)?;
            inspect(&file, heads.map(|heads| heads.key()))
        })
        .await
    }
}

fn annotate(file: &Path, note: &CopyNote, signed: &str) -> Result<(), StoreError> {
    let note = serde_json::to_string(note).map_err(StoreError::Unwritable)?;
    let write = || {
        let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
        copy.execute_batch(NOTES)?;
        let put = "INSERT OR REPLACE INTO copy VALUES (?1, ?2)";
        copy.execute(put, params!["note", note])?;
        copy.execute(put, params!["heads", signed]).map(drop)
    };
    write().map_err(|error| failure(file, error))
}

/// Reads a copy from its first byte to its last: every page, every object, every row of the trail and every signature.
/// Without the key no signature can be judged, and none is.
pub fn inspect(file: &Path, key: Option<&AuditKey>) -> Result<Inspected, StoreError> {
    let fail = |error| failure(file, error);
    let damaged = |why: String| StoreError::Damaged { path: file.to_owned(), source: why.into() };
    let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
    let age = schema::age(&copy, file)?;
    let pages: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fail)?;
    if pages != "ok" {
        return Err(damaged(pages));
    }
    let told = |name: &str| {
        copy.query_row("SELECT value FROM copy WHERE name = ?1", [name], |row| row.get::<_, String>(0))
            .map_err(|_| damaged(format!("it is no copy made by a backup: it has no {name}")))
    };
    let note = serde_json::from_str(&told("note")?).map_err(|error| damaged(error.to_string()))?;
    let signed = key.map_or_else(|| Ok(Vec::new()), |key| Ok(heads::judged(&told("heads")?, key)))?;
    let newest = audit::head(&copy).map_err(fail)?;
    let scan = |visit: verify::Visit<'_>| audit::scan(&copy, visit).map_err(fail);
    let trail = verify::verify(scan, || newest.clone(), &signed)?;
    let meta = |name: &str| {
        copy.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(fail)
    };
    Ok(Inspected {
        note,
        fleet: load::fleet(&copy, file, age)?,
        sealed: copy.query_row("SELECT count(*) FROM sealed", [], |row| row.get(0)).map_err(fail)?,
        number: meta("number")?,
        generation: meta("generation")?,
        trail,
    })
}

/// Makes a state out of a copy, in an empty directory: a database that can be opened, and the signed heads. The generation
/// is higher than any that a control plane of this fleet can have reached since, so that one that still lives is refused
/// by whoever has heard of the new one.
pub fn unpack(copy: &Path, database: &Path, heads: &Path, now: Timestamp) -> Result<(), StoreError> {
    private_parent(database)?;
    private_parent(heads)?;
    let bytes = |from: &Path, to: &Path| {
        let mut reader = fs::File::open(from)?;
        let mut writer = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        std::io::copy(&mut reader, &mut writer)?;
        writer.sync_all()
    };
    bytes(copy, database).map_err(|source| StoreError::io(database, "taking in the copy", source))?;
    let fail = |error| failure(database, error);
    let kept = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fail)?;
    let signed: String =
        kept.query_row("SELECT value FROM copy WHERE name = 'heads'", [], |row| row.get(0)).map_err(fail)?;
    // By the time, too: a second restoring of the same copy comes after all that the first one did.
    let raise = "UPDATE meta SET value = max(value + ?1, ?2) WHERE key = 'generation'";
    kept.execute(raise, [STARTS_SINCE as i64, now.as_second()]).map_err(fail)?;
    kept.execute_batch("DROP TABLE copy").map_err(fail)?;
    let write = || {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(heads)?;
        std::io::Write::write_all(&mut &file, signed.as_bytes())?;
        file.sync_all()?;
        sync_parent(heads)
    };
    write().map_err(|source| StoreError::io(heads, "writing the signed heads", source))
}

/// Brings everything that was written into the one file, which may be moved then. Nobody may write to it meanwhile.
pub fn settle(database: &Path) -> Result<(), StoreError> {
    let fail = |error| failure(database, error);
    let kept = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fail)?;
    let busy: bool = kept.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(fail)?;
    match busy {
        false => Ok(()),
        true => Err(StoreError::Busy {
            path: database.to_owned(),
            source: "its log could not be taken over into it".into(),
        }),
    }
}
