//! The suite that every backend passes, and the same fleet and trail in memory beside it.

use super::{Cluster, backend, server};
use gf_model::fleet::{Key, Once};
use gf_store::{
    Backend, FleetStore, MemoryBackend, StoreOptions, Tx,
    contract::{
        Place, a_copy_holds_everything_and_becomes_a_state_again, account, entry, every_promise, moment,
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

pub struct Database(pub String);

impl Place for Database {
    fn open(&self) -> Arc<dyn Backend> {
        backend(&self.0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_every_promise() {
    let cluster = Cluster::start();
    let made = AtomicU32::new(0);
    every_promise(|| {
        let number = made.fetch_add(1, Ordering::Relaxed);
        Database(cluster.database(&format!("fleet_{number}")))
    })
    .await;
    assert!(made.into_inner() > 5, "each promise had a database of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_postgres_holds_everything_and_becomes_a_state_again() {
    let (_cluster, url) = server();
    let directory = tempfile::tempdir().unwrap();
    a_copy_holds_everything_and_becomes_a_state_again(&Database(url), directory.path()).await;
}

/// Texts that a database may stumble over, a change of the same object twice, and both undone in one group.
fn decide(round: u64, tx: &mut Tx) {
    let odd = ["plain", "nul \0 and \\0", "'; DROP TABLE objects; --", "ü 漢 🦀", "\\", "%_"];
    let name = odd[(round % 6) as usize];
    let mut row = entry(name, &"long ".repeat(round as usize * 50), round as i64);
    row.targets.push(name.to_owned());
    tx.audit(row);
    for answer in [serde_json::json!(name), serde_json::json!(round)] {
        tx.put(Once { key: format!("{name}{}", round % 9), at: moment(round as i64), answer });
    }
    tx.put(account(round as u32 % 5));
    tx.put_sealed(format!("{name}/{}", round % 4), name);
    if round.is_multiple_of(3) {
        tx.delete(Key::Account(account(round as u32 % 5).id));
        tx.erase_sealed(format!("{name}/{}", round % 4));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_holds_what_memory_holds_whatever_the_texts() {
    let (_cluster, url) = server();
    let memory = MemoryBackend::default();
    let open = |backend: Arc<dyn Backend>| FleetStore::open(backend, StoreOptions::default()).unwrap();
    let (kept, remembered) = (open(backend(&url)), open(Arc::new(memory.clone())));
    for round in 0..60 {
        kept.update(|_, tx| decide(round, tx)).await.unwrap();
        remembered.update(|_, tx| decide(round, tx)).await.unwrap();
    }
    for target in ["nul \0 and \\0", "\\", "acct-0001", &"long ".repeat(2950)] {
        let query = || gf_store::AuditQuery { target: Some(target.into()), ..Default::default() };
        assert_eq!(kept.audit(query()).await.unwrap(), remembered.audit(query()).await.unwrap());
    }
    for prefix in ["", "nul \0", "%", "\\", "'"] {
        assert_eq!(
            kept.sealed(prefix).await.unwrap(),
            remembered.sealed(prefix).await.unwrap(),
            "{prefix:?}"
        );
    }
    assert!(kept.verify().await.unwrap().is_whole());
    kept.close().await;
    let again = open(backend(&url));
    assert_eq!(again.audit_head(), remembered.audit_head());
    assert_eq!(again.read(Clone::clone), remembered.read(Clone::clone));
    again.close().await;
}
