//! The contract, and what a disk or a second control plane can do to the store.

use super::*;
use crate::{
    FleetStore, StoreOptions, TransactError,
    contract::{Place, account, entry, every_promise},
};
use gf_model::fleet::Fleet;
use std::sync::Arc;

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("store/gatewayforge.db")
    }

    fn backend(&self) -> Arc<SqliteBackend> {
        Arc::new(SqliteBackend::open(&self.database()).unwrap())
    }

    fn refusal(&self) -> StoreError {
        SqliteBackend::open(&self.database()).err().unwrap()
    }
}

impl Place for Directory {
    fn open(&self) -> Arc<dyn Backend> {
        self.backend()
    }
}

fn pragma(backend: &SqliteBackend, sql: &str) {
    backend.writer.lock().as_ref().unwrap().0.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_every_promise() {
    every_promise(Directory::new).await;
}

#[tokio::test]
async fn a_full_disk_is_named_and_changes_nothing() {
    let directory = Directory::new();
    let backend = directory.backend();
    let store = FleetStore::open(backend.clone(), StoreOptions::default()).unwrap();
    store.update(|_, tx| tx.audit(entry("a", "acct-0001", 0))).await.unwrap();
    let pages: u32 = store_pages(&backend);
    pragma(&backend, &format!("PRAGMA max_page_count = {pages}"));

    let fill = store.transact(|_, tx| {
        let mut row = entry("b", "acct-0001", 0);
        row.detail = "x".repeat(1 << 20).into();
        tx.put(account(1));
        tx.audit(row);
        Ok::<(), std::convert::Infallible>(())
    });
    let Err(TransactError::Store(error)) = fill.await else { panic!("a full disk took a megabyte") };
    assert!(matches!(&*error, StoreError::Full { path, .. } if *path == directory.database()), "{error}");
    assert_eq!(store.read(Fleet::clone), Fleet::default());
    assert_eq!(store.audit_head().seq, 1);

    pragma(&backend, "PRAGMA max_page_count = 1000000");
    store.update(|_, tx| tx.put(account(1))).await.unwrap();
    assert!(store.verify().await.unwrap().is_whole());
    store.close().await;
}

fn store_pages(backend: &SqliteBackend) -> u32 {
    let guard = backend.writer.lock();
    let (connection, _) = guard.as_ref().unwrap();
    connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_read_only_disk_is_named_and_changes_nothing() {
    let directory = Directory::new();
    let backend = directory.backend();
    let store = FleetStore::open(backend.clone(), StoreOptions::default()).unwrap();
    pragma(&backend, "PRAGMA query_only = ON");
    let error = store.update(|_, tx| tx.put(account(1))).await.unwrap_err();
    assert!(matches!(&*error, StoreError::ReadOnly { path, .. } if *path == directory.database()), "{error}");
    assert_eq!(store.read(Fleet::clone), Fleet::default());
    store.close().await;
}

#[test]
fn a_second_control_plane_is_told_who_is_the_first() {
    let directory = Directory::new();
    let first = directory.backend();
    let refusal = directory.refusal().to_string();
    assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
    first.close();
    directory.backend();
}

#[test]
fn a_database_of_the_first_version_is_taken_over_as_it_is() {
    let directory = Directory::new();
    let backend = directory.backend();
    pragma(&backend, "UPDATE meta SET value = 1 WHERE key = 'schema'");
    backend.close();
    drop(backend);
    let again = directory.backend();
    let schema = |backend: &SqliteBackend| {
        let guard = backend.writer.lock();
        let (connection, _) = guard.as_ref().unwrap();
        connection.query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(schema(&again).unwrap(), 2);
    assert_eq!(again.load().unwrap().fleet, Fleet::default());
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let directory = Directory::new();
    let backend = directory.backend();
    pragma(&backend, "UPDATE meta SET value = 7 WHERE key = 'schema'");
    backend.close();
    drop(backend);
    let refusal = directory.refusal();
    assert!(matches!(refusal, StoreError::Newer { found: 7, known: 2, .. }), "{refusal}");
    let text = refusal.to_string();
    assert!(
        text.contains("schema 7") && text.contains("schema 2") && text.contains("start the newer"),
        "{text}"
    );
}

#[test]
fn something_else_is_no_database() {
    let directory = Directory::new();
    fs::create_dir_all(directory.database().parent().unwrap()).unwrap();
    fs::write(directory.database(), "a letter to a friend, long enough to be taken for a header of pages")
        .unwrap();
    let refusal = directory.refusal();
    assert!(matches!(refusal, StoreError::Damaged { .. }), "{refusal}");

    let foreign = Directory::new();
    fs::create_dir_all(foreign.database().parent().unwrap()).unwrap();
    let connection = Connection::open(foreign.database()).unwrap();
    connection.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(connection);
    let refusal = foreign.refusal();
    assert!(matches!(refusal, StoreError::Damaged { .. }), "{refusal}");
}

#[test]
fn an_object_that_cannot_be_read_is_named() {
    let directory = Directory::new();
    let backend = directory.backend();
    pragma(&backend, "INSERT INTO objects VALUES ('Account', 'acct-0001', '{\"kind\":\"account\"}')");
    let refusal = backend.load().unwrap_err();
    assert!(refusal.to_string().contains("Account acct-0001"), "{refusal}");
}

#[test]
fn every_commit_is_synced() {
    let directory = Directory::new();
    let backend = directory.backend();
    let guard = backend.writer.lock();
    let (connection, _) = guard.as_ref().unwrap();
    let setting = |name: &str| -> String {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0))
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert_eq!(setting("journal_mode"), "Text(\"wal\")");
    assert_eq!(setting("synchronous"), "Integer(2)");
}
