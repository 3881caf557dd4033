//! What every backend promises, as tests that any of them can be put through.
//!
//! A crate that brings a backend calls [`every_promise`] from a test of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod newer;

pub use newer::{
    Raw, a_newer_one_that_changed_is_refused_with_the_way_back,
    one_of_the_first_version_is_taken_over_as_it_is, what_a_newer_version_only_added_is_kept,
};

use crate::{
    AuditKey, AuditQuery, Backend, Batch, CopyNote, FleetStore, Head, SealedRow, SqliteBackend, StoreError,
    StoreOptions, TransactError, unpack,
};
use futures_util::StreamExt;
use gf_model::{
    AccountId, Timestamp,
    ambient::Entropy,
    audit::{AuditEntry, AuditPhase},
    fleet::{Account, Fleet, Key, Once},
    person::Principal,
};
use serde_json::json;
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

/// One state that can be opened, closed and opened again.
pub trait Place {
    fn open(&self) -> Arc<dyn Backend>;
}

/// Puts a backend through everything; `fresh` makes an empty place each time.
pub async fn every_promise<P: Place>(fresh: impl Fn() -> P) {
    what_was_committed_is_there_after_a_restart(&fresh()).await;
    a_refused_decision_changes_nothing(&fresh()).await;
    decisions_see_each_other_in_order(&fresh()).await;
    readers_are_told_of_every_commit(&fresh()).await;
    a_deposed_control_plane_writes_nothing(&fresh()).await;
    a_row_that_does_not_follow_is_refused_with_all_that_came_with_it(&fresh());
    audit_rows_are_found(&fresh()).await;
    sealed_bytes_are_kept_apart(&fresh()).await;
    a_closed_store_refuses(&fresh()).await;
}

/// A copy, made while others write, is everything as of one commit; what is made of it is that fleet again. For backends
/// whose state outlives the process. `directory` is empty.
pub async fn a_copy_holds_everything_and_becomes_a_state_again(place: &impl Place, directory: &Path) {
    let (heads, key) = (directory.join("heads.jsonl"), AuditKey::from_entropy(&Sevens));
    let options = StoreOptions { heads: Some((heads, key)), ..StoreOptions::default() };
    let first = FleetStore::open(place.open(), options).unwrap();
    let write = async |number: u32| {
        let decided = first.update(|_, tx| {
            tx.audit(entry("provision", "nul \0 and \\0", i64::from(number)));
            tx.put(account(number));
            tx.put(Once { key: format!("nul \0 {number}"), at: moment(0), answer: json!("x\0y") });
            tx.put_sealed(format!("fleet/nul \0/{number}"), format!("sealed \0 {number}"));
        });
        decided.await.unwrap();
    };
    for number in 0..5 {
        write(number).await;
    }
    first.sign_head(moment(5)).await.unwrap();
    write(5).await;
    let before = first.read(Fleet::clone);

    let file = directory.join("copy");
    let note = CopyNote { made_at: moment(9), program: "0.0.0".to_owned(), keys: BTreeMap::new() };
    let (copied, ()) = tokio::join!(first.back_up(file.clone(), note.clone()), async {
        for number in 6..60 {
            write(number).await;
        }
    });
    let copied = copied.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((&copied.note, copied.generation), (&note, first.generation()));
    let many = copied.fleet.accounts.len();
    assert!(many >= 6 && copied.sealed == many as u64 && copied.trail.rows == many as u64, "{many}");
    assert_eq!(copied.number, many as u64, "as of one commit");
    assert!(copied.trail.is_whole() && copied.trail.signed_up_to == 5, "{:?}", copied.trail);
    assert!(before.accounts.iter().all(|(id, account)| copied.fleet.accounts.get(id) == Some(account)));

    let (database, signed) = (directory.join("new/fleet.db"), directory.join("new/heads.jsonl"));
    unpack(&file, &database, &signed, moment(10)).unwrap();
    let key = AuditKey::from_entropy(&Sevens);
    let options = StoreOptions { heads: Some((signed, key)), ..StoreOptions::default() };
    let again = FleetStore::open(Arc::new(SqliteBackend::open(&database).unwrap()), options).unwrap();
    assert_eq!(again.read(Fleet::clone), copied.fleet);
    assert_eq!(again.sealed("fleet/").await.unwrap().len(), many);
    assert!(again.generation() > first.generation() + 1_000_000, "{}", again.generation());
    again.update(|_, tx| tx.audit(entry("store.restore", "store", 11))).await.unwrap();
    assert!(again.verify().await.unwrap().is_whole());
    again.close().await;
    first.close().await;
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn store(place: &impl Place) -> FleetStore {
    FleetStore::open(place.open(), StoreOptions::default()).expect("the store opens")
}

/// A moment, counted in seconds from an arbitrary one.
pub fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a moment in range")
}

pub fn account(number: u32) -> Account {
    let id: AccountId = format!("acct-{number:04}").parse().expect("a well-formed id");
    Account { id, channels: Vec::new(), created_at: moment(0) }
}

pub fn entry(action: &str, target: &str, second: i64) -> AuditEntry {
    AuditEntry {
        at: moment(second),
        principal: Principal::Agent("commander".into()),
        action: action.into(),
        phase: AuditPhase::Noted,
        targets: vec![target.into()],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail: json!({"why": "because"}),
    }
}

async fn what_was_committed_is_there_after_a_restart(place: &impl Place) {
    let first = store(place);
    for number in 0..5 {
        first
            .update(|_, tx| {
                tx.audit(entry("provision", &format!("acct-{number:04}"), 0));
                tx.put(account(number));
            })
            .await
            .unwrap();
    }
    first.update(|_, tx| tx.delete(Key::Account(account(2).id))).await.unwrap();
    let (fleet, head, generation) = (first.read(Fleet::clone), first.audit_head(), first.generation());
    assert_eq!(fleet.accounts.len(), 4);
    assert_eq!(head.seq, 5);
    first.close().await;
    drop(first);

    let second = store(place);
    assert_eq!(second.read(Fleet::clone), fleet);
    assert_eq!(second.audit_head(), head);
    assert_eq!(second.generation(), generation + 1);
    let number = second.changed().newest();
    assert_eq!(number, 6, "transactions are counted over restarts");
    assert!(second.verify().await.unwrap().is_whole());
    second.close().await;
}

async fn a_refused_decision_changes_nothing(place: &impl Place) {
    let store = store(place);
    let refused = store
        .transact(|_, tx| {
            tx.audit(entry("provision", "acct-0001", 0));
            tx.put(account(1));
            Err::<(), _>("no")
        })
        .await;
    assert!(matches!(refused, Err(TransactError::Refused("no"))));
    assert_eq!(store.read(Fleet::clone), Fleet::default());
    assert_eq!(store.audit_head(), Head::default());
    let seq = store.update(|_, tx| tx.audit(entry("noted", "acct-0001", 0))).await.unwrap();
    assert_eq!(seq, 1, "a refused decision uses up no number");
    store.close().await;
}

async fn decisions_see_each_other_in_order(place: &impl Place) {
    let store = store(place);
    let count = |fleet: &Fleet| fleet.once.get("count").and_then(|once| once.answer.as_u64()).unwrap_or(0);
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..8 {
                    let (next, seq) = store
                        .update(|fleet, tx| {
                            let next = count(fleet) + 1;
                            let answer = json!(next);
                            tx.put(Once { key: "count".into(), at: moment(0), answer });
                            (next, tx.audit(entry("counted", "acct-0001", next as i64)))
                        })
                        .await
                        .unwrap();
                    assert_eq!(next, seq, "no two decisions saw the same fleet");
                    assert!(store.read(count) >= next, "what was acknowledged can be read");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(store.read(count), 32 * 8);
    assert!(store.verify().await.unwrap().is_whole());
    store.close().await;
}

async fn readers_are_told_of_every_commit(place: &impl Place) {
    let store = store(place);
    let mut commits = store.subscribe();
    let mut changed = store.changed();
    store
        .update(|_, tx| {
            tx.audit(entry("provision", "acct-0001", 0));
            tx.audit(entry("provision", "acct-0001", 1));
            tx.put(account(1));
        })
        .await
        .unwrap();
    store.update(|_, _| ()).await.unwrap();
    store.update(|_, tx| tx.delete(Key::Account(account(1).id))).await.unwrap();
    let first = commits.next().await.unwrap();
    assert_eq!((first.number, first.audit.clone(), first.missed), (1, 1..3, false));
    assert_eq!(first.keys, [Key::Account(account(1).id)]);
    assert_eq!(commits.next().await.unwrap().number, 2, "a decision without changes is no commit");
    assert_eq!(changed.borrow_and_update(), 2);
    store.close().await;
}

async fn a_deposed_control_plane_writes_nothing(place: &impl Place) {
    let backend = place.open();
    let old = FleetStore::open(Arc::clone(&backend), StoreOptions::default()).unwrap();
    old.update(|_, tx| tx.put(account(1))).await.unwrap();
    backend.take_over().unwrap();
    let refused = old.update(|_, tx| tx.put(account(2))).await.unwrap_err();
    assert!(matches!(*refused, StoreError::Deposed { ours: 1, theirs: 2 }), "{refused}");
    assert_eq!(old.read(|fleet| fleet.accounts.len()), 1);
    assert_eq!(backend.load().unwrap().fleet.accounts.len(), 1);
    old.close().await;
}

fn a_row_that_does_not_follow_is_refused_with_all_that_came_with_it(place: &impl Place) {
    let backend = place.open();
    let generation = backend.take_over().unwrap();
    let fitting = Head::default().extend(&entry("a", "acct-0001", 0)).unwrap();
    let mut elsewhere = Head { seq: 7, ..Head::default() };
    let loose = elsewhere.extend(&entry("b", "acct-0001", 0)).unwrap();
    let batches = [
        Batch { number: 1, changes: vec![account(1).into()], rows: vec![fitting], ..Batch::default() },
        Batch { number: 2, rows: vec![loose], ..Batch::default() },
    ];
    let refused = backend.commit(generation, &batches).unwrap_err();
    assert!(matches!(refused, StoreError::BrokenChain { given: 8, last: 1 }), "{refused}");
    let loaded = backend.load().unwrap();
    assert_eq!((loaded.fleet, loaded.head, loaded.number), (Fleet::default(), Head::default(), 0));
    backend.close();
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn audit_rows_are_found(place: &impl Place) {
    let store = store(place);
    for second in 0..20 {
        let mut row =
            entry(["teardown", "restart"][second % 2], &format!("acct-{:04}", second % 4), second as i64);
        if second == 7 {
            row.principal = Principal::Person("person-ada".parse().unwrap());
            row.operation = Some("op-91c2".parse().unwrap());
            row.trace = Some(TRACE.into());
        }
        if second == 9 {
            row.detail = json!({"trace": TRACE, "note": format!("\"trace\":\"{TRACE}\"")});
        }
        store.update(|_, tx| tx.audit(row)).await.unwrap();
    }
    let seqs = async |query: AuditQuery| {
        let rows = store.audit(query).await.unwrap();
        rows.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    let all = AuditQuery::default;
    assert_eq!(seqs(all()).await, (1..=20).rev().collect::<Vec<_>>(), "newest first");
    assert_eq!(seqs(AuditQuery { limit: Some(2), ..all() }).await, [20, 19]);
    assert_eq!(seqs(AuditQuery { limit: Some(0), ..all() }).await, [0; 0]);
    assert_eq!(seqs(AuditQuery { before: Some(3), ..all() }).await, [2, 1]);
    assert_eq!(seqs(AuditQuery { after: Some(18), ..all() }).await, [19, 20], "a follower reads onward");
    assert_eq!(seqs(AuditQuery { target: Some("acct-0003".into()), ..all() }).await, [20, 16, 12, 8, 4]);
    assert_eq!(seqs(AuditQuery { target: Some("op-91c2".into()), ..all() }).await, [8]);
    assert_eq!(seqs(AuditQuery { actor: Some("person-ada".into()), ..all() }).await, [8]);
    let of = |trace: &str| AuditQuery { trace: Some(trace.into()), ..all() };
    assert_eq!(seqs(of(TRACE)).await, [8], "what only speaks of a trace is not of it");
    assert_eq!(seqs(of("' OR 1=1 --")).await, [0; 0]);
    let both = AuditQuery { action: Some("teardown".into()), target: Some("acct-0002".into()), ..all() };
    assert_eq!(seqs(both).await, [19, 15, 11, 7, 3]);
    let span = AuditQuery { from: Some(moment(3)), to: Some(moment(5)), ..all() };
    assert_eq!(seqs(span).await, [5, 4]);
    assert_eq!(seqs(AuditQuery { target: Some("acct-9999".into()), ..all() }).await, [0; 0]);
    assert_eq!(seqs(AuditQuery { before: Some(u64::MAX), limit: Some(1), ..all() }).await, [20]);

    for _ in 0..600 {
        store.update(|_, tx| tx.audit(entry("noted", "acct-0001", 30))).await.unwrap();
    }
    assert_eq!(seqs(AuditQuery { limit: Some(10_000), ..all() }).await.len(), 500);
    store.close().await;
}

async fn sealed_bytes_are_kept_apart(place: &impl Place) {
    let store = store(place);
    store
        .update(|_, tx| {
            tx.put_sealed("acct-0001/a/1", "one");
            tx.put_sealed("acct-0001/b/1", "two");
            tx.put_sealed("acct-00010/a/1", "three");
            tx.put_sealed("acct-0001%/a/1", "four");
        })
        .await
        .unwrap();
    let row = |id: &str, sealed: &str| SealedRow { id: id.into(), sealed: sealed.into() };
    let of_one = [row("acct-0001/a/1", "one"), row("acct-0001/b/1", "two")];
    assert_eq!(store.sealed("acct-0001/").await.unwrap(), of_one);
    store
        .update(|_, tx| {
            tx.erase_sealed("acct-0001/a/1");
            tx.put_sealed("acct-0001/b/1", "five");
        })
        .await
        .unwrap();
    assert_eq!(store.sealed("acct-0001/").await.unwrap(), [row("acct-0001/b/1", "five")]);
    assert_eq!(store.sealed("").await.unwrap().len(), 3);
    assert_eq!(store.read(Fleet::clone), Fleet::default());
    store.close().await;
}

async fn a_closed_store_refuses(place: &impl Place) {
    let store = store(place);
    store.update(|_, tx| tx.put(account(1))).await.unwrap();
    store.close().await;
    let refused = store.update(|_, tx| tx.put(account(2))).await.unwrap_err();
    assert!(matches!(*refused, StoreError::Closed), "{refused}");
    drop(store);
    let again = self::store(place);
    assert_eq!(again.read(|fleet| fleet.accounts.len()), 1);
    again.close().await;
}
