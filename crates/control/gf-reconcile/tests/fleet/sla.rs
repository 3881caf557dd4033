//! The service that an account had, from what was noted while its pair was moved and while nobody looked.

use crate::rig::{Rig, World, account, calm, provision, with_pairs};
use gf_model::{ambient::Clock, fleet::Fleet, operation::OperationState, served::ServiceLog};
use gf_node_proto::FailureReason;
use gf_planner::sla::{Looked, Month, Served};
use gf_store::MemoryBackend;
use std::{sync::Arc, time::Duration};

const AWAY: Duration = Duration::from_secs(3600);

fn served(rig: &Rig) -> Served {
    let now = rig.time.now();
    rig.read(|fleet: &Fleet| {
        let gateway = &fleet.gateways[&account(1)];
        Looked::of(fleet, Month::of(now), now).served(gateway, &ServiceLog::of(fleet, &gateway.account))
    })
}

/// Waits until all was written down: a look that finds nothing else writes within a minute.
async fn written(rig: &Rig) {
    rig.pass(130).await;
}

#[tokio::test(start_paused = true)]
async fn a_failover_is_downtime_until_the_standby_serves_and_making_the_pair_was_planned() {
    let (_world, rig) = with_pairs(1).await;
    written(&rig).await;
    let made = served(&rig);
    assert_eq!((made.down, made.unknown), (0, 0), "{made:?}");
    assert!(made.planned > 0, "while it was made nobody served it: {made:?}");

    let primary = rig.primary(1).id;
    rig.sim.break_start(&primary, Some(FailureReason::StateUnreadable)).unwrap();
    rig.sim.kill(&primary).unwrap();
    rig.until("it was moved", |fleet| {
        fleet.gateways[&account(1)].primary.as_ref() != Some(&primary)
            && fleet.primary_of(&account(1)).is_some_and(|now| now.is_active() && now.channels_on)
    })
    .await;
    written(&rig).await;
    let moved = served(&rig);
    assert_eq!(moved.planned, made.planned, "nobody ordered it");
    assert!((1..=180).contains(&moved.down), "{moved:?}");
    assert_eq!(moved.unknown, 0);
    assert_eq!(rig.gateway(1).down_seconds_month, moved.down, "as the fleet's own count");
    let sum = moved.up + moved.down + moved.planned + moved.unknown + moved.outside + moved.to_come;
    assert_eq!(sum, Month::of(rig.time.now()).seconds());
}

#[tokio::test(start_paused = true)]
async fn while_no_control_plane_runs_nothing_is_known_and_nothing_counts_as_served() {
    let world = World::new(1);
    let disk = Arc::new(MemoryBackend::default());
    let rig = world.start(Arc::clone(&disk) as _, calm()).await;
    let operation = rig.confirmed(provision(1)).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done);
    written(&rig).await;
    let before = served(&rig);
    rig.engine.halt();
    rig.store.close().await;
    drop(rig);
    tokio::time::sleep(AWAY).await;
    world.time.end();

    let rig = world.start(disk as _, calm()).await;
    rig.until("it serves", |fleet| {
        fleet.primary_of(&account(1)).is_some_and(|primary| primary.is_active() && primary.channels_on)
    })
    .await;
    written(&rig).await;
    let after = served(&rig);
    let (unknown, away) = (after.unknown - before.unknown, AWAY.as_secs());
    assert!((away..away + 70).contains(&unknown), "{before:?} {after:?}");
    assert!(after.up - before.up < 300, "{before:?} {after:?}");
}
