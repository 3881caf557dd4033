//! A database that was failed over to a replica that lagged: what was acknowledged is gone, and nobody goes on unasked.

use super::{
    Cluster, OPTIONS,
    follow::{Fixed, following, reaches},
    wire::Wire,
};
use crate::{Address, Known, Lost, PostgresBackend};
use gf_store::{
    FleetStore, Standing, StoreError, StoreOptions,
    contract::{account, entry},
};
use std::sync::Arc;

fn over(wire: &Wire, holder: &str) -> Arc<PostgresBackend> {
    let address = Address::parse(&wire.url("fleet")).unwrap();
    Arc::new(PostgresBackend::open(address, holder.to_owned(), OPTIONS).unwrap())
}

async fn write(store: &FleetStore, number: u32) {
    let written = store.update(|_, tx| {
        tx.put(account(number));
        tx.audit(entry("provision", "acct-0001", i64::from(number)));
    });
    written.await.unwrap();
}

/// What it says that is lost, once it says so.
async fn halted(store: &FleetStore) -> (u64, u64) {
    let mut standings = store.standings();
    let is_halted =
        |standing: &Standing| matches!(standing, Standing::Follows(following) if following.halted.is_some());
    let standing = standings.wait_for(is_halted).await.unwrap().clone();
    match standing {
        Standing::Follows(following) => match following.halted.as_deref() {
            Some(StoreError::WentBack { stored, known, .. }) => (*stored, *known),
            other => panic!("{other:?}"),
        },
        Standing::Leads => panic!("it leads"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lagging_replica_lost_is_noticed_by_all_and_accepted_by_a_person() {
    let mut primary = Cluster::start();
    primary.database("fleet");
    let wire = Wire::lay(&primary);
    let led = over(&wire, "one");
    let leader = FleetStore::open(led.clone(), StoreOptions::default()).unwrap();
    for number in 1..=3 {
        write(&leader, number).await;
    }
    let mut replica = primary.replica();
    let number = "SELECT number FROM gatewayforge.control";
    replica.until("the replica has it all", |replica| replica.sql("fleet", number) == "3");
    replica.stop();
    for number in 4..=5 {
        write(&leader, number).await;
    }
    let backends = [over(&wire, "two"), over(&wire, "three")];
    let [(two, mut second), (three, mut third)] = backends.each_ref().map(following);
    reaches(&two, &leader).await;
    reaches(&three, &leader).await;
    let known = Known { position: leader.position(), generation: 1 };

    wire.cut();
    primary.stop();
    replica.start_again();
    replica.sql("postgres", "SELECT pg_promote()");
    wire.leads_to(&replica);
    wire.mend();
    let mut lost = led.lost();
    let why = *lost.wait_for(Option::is_some).await.unwrap();
    assert_eq!(why, Some(Lost::WentBack { stored: 3, known: 5 }));
    assert!(!leader.may_act());
    let refused = leader.update(|_, tx| tx.put(account(9))).await.unwrap_err();
    assert!(matches!(*refused, StoreError::WentBack { stored: 3, known: 5, .. }), "{refused}");
    assert_eq!(leader.read(|fleet| fleet.accounts.len()), 5, "what is lost can still be read");
    assert_eq!((halted(&two).await, halted(&three).await), ((3, 5), (3, 5)));

    // The one that led, started again: it remembers.
    leader.close().await;
    let again = over(&wire, "one again");
    let back = FleetStore::follow(again.clone(), StoreOptions::default()).unwrap();
    let (of, clock) = (back.clone(), Arc::new(Fixed));
    let leading = tokio::spawn(async move { again.follow(of, Some(known), clock).await });
    assert_eq!(halted(&back).await, (3, 5));
    assert!(!leading.is_finished() && !second.is_finished() && !third.is_finished());
    assert_eq!(replica.sql("fleet", "SELECT generation FROM gatewayforge.control"), "1", "nobody took over");

    two.accept_loss("person-ada".into()).await.unwrap();
    let mut leading = leading;
    let (next, generation) = tokio::select! {
        generation = &mut second => (&two, generation),
        generation = &mut third => (&three, generation),
        generation = &mut leading => (&back, generation),
    };
    assert_eq!(generation.unwrap().unwrap(), 2);
    assert_eq!(next.read(|fleet| fleet.accounts.len()), 3);
    write(next, 6).await;
    for other in [&two, &three, &back] {
        reaches(other, next).await;
    }
    let losses = backends[0].losses().unwrap();
    let loss = (losses[0].after_number, losses[0].lost_number, losses[0].lost_row, losses[0].by.as_str());
    assert_eq!((losses.len(), loss), (1, (3, 5, 5, "person-ada")));
    assert!(next.verify().await.unwrap().is_whole());
    next.close().await;
}
