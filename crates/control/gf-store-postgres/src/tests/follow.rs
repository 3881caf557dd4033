//! Control planes that follow: what they show, what they miss, and when they lead.

use super::{OPTIONS, backend, server, store};
use crate::{PostgresBackend, PostgresOptions};
use futures_util::StreamExt;
use gf_model::{Timestamp, ambient::Clock, fleet::Key};
use gf_store::{
    Backend, FleetStore, Standing, StoreError, StoreOptions,
    contract::{account, entry},
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

pub struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

pub type Leading = JoinHandle<Result<u64, StoreError>>;

pub fn following(backend: &Arc<PostgresBackend>) -> (FleetStore, Leading) {
    let store = FleetStore::follow(backend.clone(), StoreOptions::default()).unwrap();
    let (of, backend) = (store.clone(), Arc::clone(backend));
    let leading = tokio::spawn(async move { backend.follow(of, None, Arc::new(Fixed)).await });
    (store, leading)
}

/// Waits until a follower has come as far as another one.
pub async fn reaches(follower: &FleetStore, other: &FleetStore) {
    let mut changed = follower.changed();
    while follower.position() != other.position() {
        changed.changed().await.unwrap();
    }
    assert_eq!(follower.read(Clone::clone), other.read(Clone::clone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_shows_what_the_leader_wrote_and_decides_nothing() {
    let (_cluster, url) = server();
    let led = backend(&url);
    led.announce("http://127.0.0.1:7410".into(), vec!["ws://127.0.0.1:7410/node/v1/link".into()]);
    let leader = FleetStore::open(led, StoreOptions::default()).unwrap();
    leader.update(|_, tx| tx.put(account(1))).await.unwrap();
    let (follower, _leading) = following(&backend(&url));
    assert_eq!(follower.read(|fleet| fleet.accounts.len()), 1, "it read the fleet before anything else");
    let mut commits = follower.subscribe();

    leader
        .update(|_, tx| {
            tx.put(account(2));
            tx.audit(entry("provision", "acct-0002", 1));
        })
        .await
        .unwrap();
    let told = commits.next().await.unwrap();
    assert_eq!((told.number, &told.keys, &told.audit), (2, &vec![Key::Account(account(2).id)], &(1..2)));
    reaches(&follower, &leader).await;
    leader.update(|_, tx| tx.delete(Key::Account(account(1).id))).await.unwrap();
    reaches(&follower, &leader).await;

    let refused = follower.update(|_, tx| tx.put(account(3))).await.unwrap_err();
    assert!(
        matches!(&*refused, StoreError::Following { api, .. } if api == "http://127.0.0.1:7410"),
        "{refused}"
    );
    assert!(!follower.may_act() && leader.may_act());
    let mut standings = follower.standings();
    let heard = |standing: &Standing| match standing {
        Standing::Follows(following) => (following.newest, following.leader.nodes.len()) == (3, 1),
        Standing::Leads => false,
    };
    standings.wait_for(heard).await.unwrap();
    assert!(follower.verify().await.unwrap().is_whole());
    leader.close().await;
}

/// Rows are pruned, or were never written by a version before them: a follower reads everything anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_the_log_does_not_reach_reads_everything_anew() {
    let (cluster, url) = server();
    let leader = store(&url);
    leader.update(|_, tx| tx.put(account(1))).await.unwrap();
    let (follower, _leading) = following(&backend(&url));
    // Nothing is told of this one, so that it is found by looking.
    cluster.sql("fleet", "ALTER TABLE gatewayforge.log RENAME TO hidden; CREATE TABLE gatewayforge.log (LIKE gatewayforge.hidden)");
    let mut commits = follower.subscribe();
    leader.update(|_, tx| tx.put(account(2))).await.unwrap();
    leader.update(|_, tx| tx.put(account(3))).await.unwrap();
    cluster.sql("fleet", "DELETE FROM gatewayforge.log WHERE number = 2");
    reaches(&follower, &leader).await;
    cluster.sql("fleet", "DELETE FROM gatewayforge.log");
    leader.update(|_, tx| tx.put(account(4))).await.unwrap();
    reaches(&follower, &leader).await;
    assert!(commits.next().await.is_some());
    leader.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_takes_over_when_the_lease_ends_with_all_that_was_kept() {
    let (_cluster, url) = server();
    let leader = store(&url);
    let backends = [backend(&url), backend(&url)];
    let followers: Vec<_> = backends.iter().map(following).collect();
    for number in 1..20 {
        leader.update(|_, tx| tx.put(account(number))).await.unwrap();
    }
    let fleet = leader.read(Clone::clone);
    // Given up in order: they are told, and need not wait for its end.
    leader.close().await;
    let [(one, mut first), (other, mut second)] = <[_; 2]>::try_from(followers).ok().unwrap();
    let (next, last, generation) = tokio::select! {
        generation = &mut first => (one, other, generation),
        generation = &mut second => (other, one, generation),
    };
    assert_eq!(generation.unwrap().unwrap(), 2);
    assert_eq!((next.generation(), next.read(Clone::clone)), (2, fleet));
    assert!(next.may_act() && !last.may_act());
    next.update(|_, tx| tx.audit(entry("noted", "acct-0001", 5))).await.unwrap();
    reaches(&last, &next).await;
    assert!(next.verify().await.unwrap().is_whole());
    next.close().await;
}

/// What a leader may send ends before the lease does, and writing is another matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_cannot_renew_sends_nothing_before_its_lease_ends() {
    let (mut cluster, url) = server();
    let options = PostgresOptions { lease: Duration::from_secs(2), ..OPTIONS };
    let address = crate::Address::parse(&url).unwrap();
    let kept = Arc::new(PostgresBackend::open(address, "a test".into(), options).unwrap());
    let leader = FleetStore::open(kept.clone(), StoreOptions::default()).unwrap();
    assert!(leader.may_act());
    cluster.stop();
    cluster.until("it sends nothing any more", |_| !leader.may_act());
    cluster.start_again();
    leader.update(|_, tx| tx.put(account(1))).await.unwrap();
    assert!(leader.may_act(), "nobody took the lease, and it was renewed by the write");
    leader.close().await;
    assert!(!leader.may_act() && !kept.may_act());
}
