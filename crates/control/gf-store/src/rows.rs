//! A state row by row, for a backend that is no SQLite file itself: written into a copy, and read out of what was made of one.
//!
//! Nothing here judges what it carries: that is done before a copy is taken for good.

use crate::{
    StoreError,
    backend::{SealedRow, StoredRow},
    expand::Written,
    sqlite::{audit, error::failure, meta, schema},
};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};

/// Writes a copy row by row, for a backend that is no SQLite file itself.
pub struct CopyWriter {
    file: PathBuf,
    copy: Connection,
}

impl CopyWriter {
    /// In an empty file.
    pub fn begin(file: &Path) -> Result<Self, StoreError> {
        let fail = |error| failure(file, error);
        let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fail)?;
        copy.execute_batch(schema::TABLES).map_err(fail)?;
        copy.execute_batch("BEGIN").map_err(fail)?;
        Ok(Self { file: file.to_owned(), copy })
    }

    fn put(&mut self, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        let put = self.copy.prepare_cached(sql).and_then(|mut put| put.execute(values));
        put.map(drop).map_err(|error| failure(&self.file, error))
    }

    pub fn object(&mut self, kind: &str, id: &str, json: &str) -> Result<(), StoreError> {
        self.put("INSERT INTO objects VALUES (?1, ?2, ?3)", [kind, id, json])
    }

    pub fn sealed(&mut self, row: &SealedRow) -> Result<(), StoreError> {
        self.put("INSERT INTO sealed VALUES (?1, ?2)", [&row.id, &row.sealed])
    }

    /// By ascending number.
    pub fn row(&mut self, row: &StoredRow) -> Result<(), StoreError> {
        audit::put(&self.copy, row).map_err(|error| failure(&self.file, error))
    }

    pub fn finish(mut self, number: u64, generation: u64, written: Written) -> Result<(), StoreError> {
        schema::note(&self.copy, written).map_err(|error| failure(&self.file, error))?;
        for (name, value) in [("number", number), ("generation", generation)] {
            self.put("UPDATE meta SET value = ?1 WHERE key = ?2", params![value as i64, name])?;
        }
        self.copy.execute_batch("COMMIT").map_err(|error| failure(&self.file, error))
    }
}

/// Reads a database that was made out of a copy.
pub struct KeptReader {
    file: PathBuf,
    kept: Mutex<Connection>,
}

/// An object's kind, id and text.
pub type ObjectRow = (String, String, String);

impl KeptReader {
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let fail = |error| failure(file, error);
        let kept = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
        Ok(Self { file: file.to_owned(), kept: Mutex::new(kept) })
    }

    /// The newest transaction, the generation, and who wrote the records.
    pub fn says(&self) -> Result<(u64, u64, Written), StoreError> {
        let kept = self.kept.lock();
        let said = |name: &str| meta(&kept, name).map_err(|error| failure(&self.file, error));
        Ok((said("number")?, said("generation")?, schema::written(&kept, &self.file)?))
    }

    fn page<T>(
        &self,
        sql: &str,
        after: impl rusqlite::Params,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let kept = self.kept.lock();
        let page = kept.prepare_cached(sql).and_then(|mut find| find.query_map(after, row)?.collect());
        page.map_err(|error| failure(&self.file, error))
    }

    /// The next so many objects after one, by kind and id; from the first after two empty texts.
    pub fn objects(&self, after: (&str, &str), most: u32) -> Result<Vec<ObjectRow>, StoreError> {
        let sql = "SELECT kind, id, json FROM objects WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3";
        self.page(sql, params![after.0, after.1, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// The next so many rows of the trail after a number.
    pub fn rows(&self, after: i64, most: u32) -> Result<Vec<StoredRow>, StoreError> {
        let sql = "SELECT seq, entry_json, previous, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.page(sql, params![after, most], |row| {
            let (seq, entry_json, previous, hash) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(StoredRow { seq, entry_json, previous, hash, index_fits: true })
        })
    }

    pub fn sealed(&self) -> Result<Vec<SealedRow>, StoreError> {
        self.page("SELECT id, sealed FROM sealed", [], |row| {
            Ok(SealedRow { id: row.get(0)?, sealed: row.get(1)? })
        })
    }
}
