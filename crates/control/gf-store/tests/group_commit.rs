//! What readers see and what callers are told while commits wait, fail, or fail to say how they ended.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{account, entry, once};
use futures_util::{StreamExt, future::join_all};
use gf_model::{audit::AuditRow, fleet::Fleet};
use gf_store::{
    AuditQuery, Backend, Batch, FleetStore, Loaded, MemoryBackend, SealedRow, StoreError, StoreOptions,
    StoredRow,
};
use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};
use tokio::sync::mpsc as async_mpsc;

/// How a commit ends.
enum End {
    Kept,
    Refused,
    /// It was kept, but whoever waits is told that it failed.
    KeptButUnheard,
}

/// A disk of which a test decides when and how each commit ends.
struct Disk {
    kept: MemoryBackend,
    arrived: async_mpsc::UnboundedSender<usize>,
    ends: Mutex<mpsc::Receiver<End>>,
    unreadable: AtomicBool,
}

struct Hands {
    disk: Arc<Disk>,
    arrived: async_mpsc::UnboundedReceiver<usize>,
    end: mpsc::Sender<End>,
}

fn disk() -> (FleetStore, Hands) {
    let (arrives, arrived) = async_mpsc::unbounded_channel();
    let (end, ends) = mpsc::channel();
    let disk = Arc::new(Disk {
        kept: MemoryBackend::default(),
        arrived: arrives,
        ends: Mutex::new(ends),
        unreadable: AtomicBool::new(false),
    });
    let store = FleetStore::open(disk.clone(), StoreOptions::default()).unwrap();
    (store, Hands { disk, arrived, end })
}

fn full() -> StoreError {
    StoreError::Full { path: "disk".into(), source: "full".into() }
}

impl Backend for Disk {
    fn load(&self) -> Result<Loaded, StoreError> {
        if self.unreadable.load(Ordering::SeqCst) { Err(full()) } else { self.kept.load() }
    }
    fn take_over(&self) -> Result<u64, StoreError> {
        self.kept.take_over()
    }
    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        self.arrived.send(batches.len()).unwrap();
        match self.ends.lock().unwrap().recv().unwrap() {
            End::Kept => self.kept.commit(generation, batches),
            End::Refused => Err(full()),
            End::KeptButUnheard => {
                self.kept.commit(generation, batches)?;
                Err(full())
            }
        }
    }
    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.kept.audit(query)
    }
    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.kept.scan_audit(visit)
    }
    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        self.kept.sealed(prefix)
    }
    fn blocks(&self) -> bool {
        true
    }
    fn close(&self) {}
}

/// Starts a decision and returns once it is made and waits for the disk.
async fn decided(store: &FleetStore, number: u64) -> tokio::task::JoinHandle<Result<u64, Arc<StoreError>>> {
    let (made, is_made) = tokio::sync::oneshot::channel();
    let store = store.clone();
    let task = tokio::spawn(async move {
        let decide = |_: &Fleet, tx: &mut gf_store::Tx| {
            tx.put(account(number));
            let _ = made.send(());
            tx.audit(entry("provision", &account(number).id.to_string()))
        };
        store.update(decide).await
    });
    is_made.await.unwrap();
    task
}

fn accounts(store: &FleetStore) -> usize {
    store.read(|fleet| fleet.accounts.len())
}

#[tokio::test]
async fn nobody_sees_what_is_not_durable_but_the_next_decision_builds_on_it() {
    let (store, mut hands) = disk();
    let first = decided(&store, 1).await;
    hands.arrived.recv().await.unwrap();
    assert_eq!(accounts(&store), 0, "a reader saw what the disk does not have yet");
    let second = {
        let store = store.clone();
        tokio::spawn(async move {
            let seen = store.update(|fleet, tx| {
                tx.put(account(2));
                fleet.accounts.len()
            });
            seen.await
        })
    };
    hands.end.send(End::Kept).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(accounts(&store), 1);
    hands.end.send(End::Kept).unwrap();
    assert_eq!(second.await.unwrap().unwrap(), 1);
    assert_eq!(accounts(&store), 2);
}

#[tokio::test]
async fn waiting_decisions_share_a_commit() {
    let (store, mut hands) = disk();
    let first = decided(&store, 0).await;
    assert_eq!(hands.arrived.recv().await, Some(1));
    let mut waiting = Vec::new();
    for number in 1..=64 {
        waiting.push(decided(&store, number).await);
    }
    hands.end.send(End::Kept).unwrap();
    assert_eq!(hands.arrived.recv().await, Some(64));
    hands.end.send(End::Kept).unwrap();
    first.await.unwrap().unwrap();
    let seqs: Vec<u64> = join_all(waiting).await.into_iter().map(|seq| seq.unwrap().unwrap()).collect();
    assert_eq!(seqs, (2..=65).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_decided_on_a_failed_commit_fails_with_it() {
    let (store, mut hands) = disk();
    let first = decided(&store, 1).await;
    hands.arrived.recv().await.unwrap();
    let on_top = decided(&store, 2).await;
    hands.end.send(End::Refused).unwrap();
    for task in [first, on_top] {
        let error = task.await.unwrap().unwrap_err();
        assert!(matches!(*error, StoreError::Full { .. }), "{error}");
    }
    assert_eq!(store.read(Fleet::clone), Fleet::default());

    hands.end.send(End::Kept).unwrap();
    let again = decided(&store, 3).await.await.unwrap().unwrap();
    assert_eq!(again, 1, "a failed decision uses up no number");
    assert_eq!(accounts(&store), 1);
    assert!(store.verify().await.unwrap().is_whole());
}

#[tokio::test]
async fn a_commit_that_was_kept_though_it_failed_is_found_again() {
    let (store, hands) = disk();
    let mut commits = store.subscribe();
    hands.end.send(End::KeptButUnheard).unwrap();
    decided(&store, 1).await.await.unwrap().unwrap_err();
    assert_eq!(accounts(&store), 1, "memory is what the disk has");
    assert!(commits.next().await.unwrap().missed, "followers are told to look again");

    hands.end.send(End::Kept).unwrap();
    assert_eq!(
        decided(&store, 2).await.await.unwrap().unwrap(),
        2,
        "the chain goes on after the unheard row"
    );
    assert!(store.verify().await.unwrap().is_whole());
}

#[tokio::test]
async fn nothing_is_decided_while_the_fleet_cannot_be_read_again() {
    let (store, hands) = disk();
    hands.disk.unreadable.store(true, Ordering::SeqCst);
    hands.end.send(End::KeptButUnheard).unwrap();
    decided(&store, 1).await.await.unwrap().unwrap_err();
    assert_eq!(accounts(&store), 0);
    let refused = store.update(|_, _| panic!("decided on a fleet that may not be the durable one")).await;
    assert!(matches!(*refused.unwrap_err(), StoreError::Full { .. }));

    hands.disk.unreadable.store(false, Ordering::SeqCst);
    let seen = store.update(|fleet, _| fleet.accounts.len()).await.unwrap();
    assert_eq!(seen, 1, "the unheard commit was found when the disk came back");
}

#[tokio::test]
async fn a_decision_without_changes_waits_for_what_it_was_based_on() {
    let (store, mut hands) = disk();
    let first = decided(&store, 1).await;
    hands.arrived.recv().await.unwrap();
    let looked = {
        let store = store.clone();
        tokio::spawn(async move { store.update(|fleet, _| fleet.accounts.len()).await })
    };
    hands.end.send(End::Refused).unwrap();
    first.await.unwrap().unwrap_err();
    // Either it saw the account and failed with it, or it looked after the failure and saw none.
    match looked.await.unwrap() {
        Ok(seen) => assert_eq!(seen, 0),
        Err(error) => assert!(matches!(*error, StoreError::Full { .. })),
    }
}

#[tokio::test]
async fn a_follower_that_lags_too_far_is_told_so() {
    let store = FleetStore::in_memory().unwrap();
    let mut commits = store.subscribe();
    for number in 0..5000 {
        store.update(|_, tx| tx.put(once("count", number))).await.unwrap();
    }
    let first = commits.next().await.unwrap();
    assert!(first.missed);
    assert_eq!(first.number, 5000);
    assert!(!commits.next().await.unwrap().missed, "what is still there is told one by one");
}
