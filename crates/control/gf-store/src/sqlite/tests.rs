//! The contract, and what a disk or a second control plane can do to the store.

use super::*;
use crate::{
    CopyNote, FleetStore, StoreOptions, TransactError,
    contract::{
        self, Place, Raw, a_newer_one_that_changed_is_refused_with_the_way_back, account, entry,
        every_promise, moment, one_of_the_first_version_is_taken_over_as_it_is,
        what_a_newer_version_only_added_is_kept,
    },
    expand::Written,
    inspect,
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

    /// As another program sees it.
    fn raw(&self) -> Connection {
        Connection::open(self.database()).unwrap()
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_everything_and_becomes_a_state_again() {
    let copies = tempfile::tempdir().unwrap();
    contract::a_copy_holds_everything_and_becomes_a_state_again(&Directory::new(), copies.path()).await;
}

#[tokio::test]
async fn a_copy_that_was_spoilt_or_is_none_is_told_from_a_good_one() {
    let (directory, copies) = (Directory::new(), tempfile::tempdir().unwrap());
    let store = FleetStore::open(directory.backend(), StoreOptions::default()).unwrap();
    store.update(|_, tx| tx.audit(entry("a", "acct-0001", 0))).await.unwrap();
    let file = copies.path().join("copy");
    let note = CopyNote { made_at: moment(0), program: "0.0.0".into(), keys: Default::default() };
    store.back_up(file.clone(), note).await.unwrap();
    let refusal = |sql: &str| {
        let spoilt = copies.path().join("spoilt");
        fs::copy(&file, &spoilt).unwrap();
        Connection::open(&spoilt).unwrap().execute_batch(sql).unwrap();
        inspect(&spoilt, None)
    };
    let newer = refusal("UPDATE meta SET value = 9 WHERE key = 'schema'").unwrap_err();
    assert!(matches!(newer, StoreError::Newer { found: 9, .. }), "{newer}");
    let none = refusal("DROP TABLE copy").unwrap_err();
    assert!(matches!(none, StoreError::Damaged { .. }), "{none}");
    let changed =
        refusal("UPDATE audit SET entry_json = replace(entry_json, 'acct-0001', 'acct-0002')").unwrap();
    assert!(!changed.trail.is_whole());
    let unreadable = refusal("INSERT INTO objects VALUES ('Account', 'acct-0001', '{}')").unwrap_err();
    assert!(unreadable.to_string().contains("Account acct-0001"), "{unreadable}");
    let half = copies.path().join("half");
    let whole = fs::read(&file).unwrap();
    fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    assert!(inspect(&half, None).is_err());
    store.close().await;
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

/// Power was lost in a write: of the log's last pages any part may be there, and the rest is what the disk had before.
#[tokio::test]
async fn a_torn_last_page_takes_nothing_that_was_acknowledged() {
    let directory = Directory::new();
    let log = directory.database().with_extension("db-wal");
    let store = FleetStore::open(directory.backend(), StoreOptions::default()).unwrap();
    let write = async |number: u32| {
        let change = |tx: &mut crate::Tx| {
            tx.put(account(number));
            tx.audit(entry("made", "acct-0001", number.into()));
        };
        store.update(|_, tx| change(tx)).await.unwrap();
        std::fs::read(&log).unwrap()
    };
    let acknowledged = write(1).await;
    let whole = write(2).await;
    assert!(whole.starts_with(&acknowledged), "the log is only written on");
    let database = std::fs::read(directory.database()).unwrap();
    let cuts = (acknowledged.len()..whole.len()).step_by(512);
    for (cut, rest) in cuts.flat_map(|cut| [(cut, 0), (cut, 0xff)]) {
        let after = Directory::new();
        std::fs::create_dir_all(after.database().parent().unwrap()).unwrap();
        std::fs::write(after.database(), &database).unwrap();
        let mut torn = whole[..cut].to_vec();
        torn.resize(whole.len(), rest);
        std::fs::write(after.database().with_extension("db-wal"), torn).unwrap();
        let again = FleetStore::open(after.backend(), StoreOptions::default()).unwrap();
        let kept = again.read(|fleet| fleet.accounts.len());
        assert_eq!(kept, 1, "cut at {cut} of {} bytes", whole.len());
        let verified = again.verify().await.unwrap();
        assert!(verified.is_whole(), "{:?}", verified.findings);
        again.close().await;
    }
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

/// A database that the first version left, as a file, is what it was; and what this one adds has its defaults.
#[tokio::test]
async fn a_database_file_of_the_first_version_is_brought_up_with_all_that_it_holds() {
    let directory = Directory::new();
    fs::create_dir_all(directory.database().parent().unwrap()).unwrap();
    let old = Connection::open(directory.database()).unwrap();
    old.execute_batch(include_str!("../../tests/fixtures/schema-1.sql")).unwrap();
    drop(old);
    let store = FleetStore::open(directory.backend(), StoreOptions::default()).unwrap();
    let account = "acct-0001".parse().unwrap();
    let (primary, gateway) =
        store.read(|fleet| (fleet.primary_of(&account).unwrap().clone(), fleet.gateways[&account].clone()));
    assert_eq!((primary.id.as_str(), primary.waits_to_boot, primary.lease_terms), ("i-0001", false, 0));
    assert_eq!((gateway.purpose.as_deref(), gateway.lease.number), (Some("beta"), 0));
    assert_eq!((store.generation(), store.sealed("fleet/").await.unwrap().len()), (4, 1));
    store.update(|_, tx| tx.audit(entry("later", "acct-0001", 0))).await.unwrap();
    let verified = store.verify().await.unwrap();
    assert!(verified.is_whole() && verified.rows == 3, "{verified:?}");
    store.close().await;
}

impl Raw for Directory {
    fn refusal(&self) -> StoreError {
        SqliteBackend::open(&self.database()).err().unwrap()
    }

    fn stored(&self, kind: &str, id: &str) -> Option<serde_json::Value> {
        let find = "SELECT json FROM objects WHERE kind = ?1 AND id = ?2";
        let found = self.raw().query_row(find, [kind, id], |row| row.get::<_, String>(0));
        found.optional().unwrap().map(|json| serde_json::from_str(&json).unwrap())
    }

    fn lay(&self, kind: &str, id: &str, record: &serde_json::Value) {
        let put = "INSERT OR REPLACE INTO objects VALUES (?1, ?2, ?3)";
        self.raw().execute(put, [kind, id, &record.to_string()]).unwrap();
    }

    fn say(&self, written: Written) {
        schema::note(&self.raw(), written).unwrap();
    }

    fn schema(&self) -> u64 {
        let find = "SELECT value FROM meta WHERE key = 'schema'";
        self.raw().query_row(find, [], |row| row.get(0)).unwrap()
    }
}

#[tokio::test]
async fn what_a_newer_version_only_added_is_kept_and_what_it_changed_is_refused() {
    let directories = [(); 3].map(|()| Directory::new());
    let copies = tempfile::tempdir().unwrap();
    what_a_newer_version_only_added_is_kept(&directories[0], copies.path()).await;
    a_newer_one_that_changed_is_refused_with_the_way_back(&directories[1]).await;
    one_of_the_first_version_is_taken_over_as_it_is(&directories[2]).await;
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
