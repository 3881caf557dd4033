//! Copies of memory: taken when it changed, kept few, and taken in by standbys beforehand.

use crate::rig::{Rig, World, account, provision, with_pairs_at};
use gf_model::{
    fleet::Fleet,
    instance::{Instance, InstanceState},
    snapshot::Snapshot,
};
use gf_reconcile::Cadence;
use gf_store::MemoryBackend;
use std::{sync::Arc, time::Duration};

fn every_minute() -> Cadence {
    Cadence { snapshot: Duration::from_secs(60), ..Cadence::default() }
}

fn snapshots(rig: &Rig) -> Vec<Snapshot> {
    rig.read(|fleet| fleet.snapshots.values().cloned().collect())
}

async fn newest_holds(rig: &Rig, memory: u64) {
    let primary = rig.primary(1).id;
    assert_eq!(rig.sim.memory(&primary).unwrap(), memory);
    let before = rig.gateway(1).last_snapshot;
    rig.until("a new copy is there", |fleet| fleet.gateways[&account(1)].last_snapshot != before).await;
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_memory_is_not_copied_again_and_counts_as_copied_now() {
    let (_world, rig) = with_pairs_at(1, every_minute()).await;
    rig.until("a copy is there", |fleet| !fleet.snapshots.is_empty()).await;
    let first = snapshots(&rig).remove(0);
    rig.pass(600).await;
    let now = snapshots(&rig);
    assert_eq!(now.len(), 1, "nothing was said");
    assert_eq!((&now[0].id, &now[0].digest), (&first.id, &first.digest));
    assert!(now[0].taken_at > first.taken_at);
}

#[tokio::test(start_paused = true)]
async fn the_newest_three_are_kept_and_the_standby_takes_the_newest_in() {
    let (_world, rig) = with_pairs_at(1, every_minute()).await;
    let (primary, standby) = (rig.primary(1).id, rig.standby(1).id);
    for memory in 1..=5 {
        rig.sim.chat(&primary).unwrap();
        newest_holds(&rig, memory).await;
    }
    rig.until("the standby took it in", |fleet| {
        let newest = fleet.gateways[&account(1)].last_snapshot.clone();
        let standby = &fleet.instances[&standby];
        standby.remembers == newest && standby.is_active() && fleet.snapshots.len() == 3
    })
    .await;
    assert_eq!(rig.sim.memory(&standby).unwrap(), 5);
    assert!(rig.operations("rebuild_standby").is_empty(), "its stop for that was not taken for its end");
    assert_eq!(rig.standby(1).id, standby);
    assert!(!rig.standby(1).channels_on);
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_cannot_take_it_in_is_looked_after() {
    let (_world, rig) = with_pairs_at(1, every_minute()).await;
    let (primary, standby) = (rig.primary(1).id, rig.standby(1).id);
    rig.sim.break_start(&standby, Some(gf_node_proto::FailureReason::StateUnreadable)).unwrap();
    rig.sim.chat(&primary).unwrap();
    rig.until("it was replaced", |fleet| fleet.instances[&standby].state == InstanceState::Deleted).await;
    rig.until("another one stands by and remembers", |fleet| {
        let newest = fleet.gateways[&account(1)].last_snapshot.clone();
        fleet.standby_of(&account(1)).is_some_and(|it| it.is_active() && it.remembers == newest)
    })
    .await;
    assert_eq!(rig.sim.memory(&rig.standby(1).id).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_never_written_down_is_not_relied_on() {
    let (_world, rig) = with_pairs_at(1, every_minute()).await;
    rig.until("a copy is there", |fleet| !fleet.snapshots.is_empty()).await;
    let primary = rig.primary(1);
    rig.sim.chat(&primary.id).unwrap();
    // The node takes a copy of which the control plane loses the answer.
    let lost = gf_node_proto::SnapshotCreate {
        instance_id: primary.id.to_string(),
        snapshot_id: "snap-lost".into(),
        destination: "/snapshots/acct-0001/snap-lost".into(),
        only_if_changed: true,
    };
    let meta = gf_node_hub::CommandMeta::new("lost", Duration::from_secs(60));
    rig.engine.hands().hub.command(primary.node.as_ref().unwrap(), lost, meta).await.unwrap();
    let before = rig.gateway(1).last_snapshot;
    rig.until("a copy of it was taken", |fleet| fleet.gateways[&account(1)].last_snapshot != before).await;
    let digests: std::collections::BTreeSet<_> = snapshots(&rig).into_iter().map(|s| s.digest).collect();
    assert_eq!(digests.len(), 2, "the new one holds what was said since");
}

#[tokio::test(start_paused = true)]
async fn a_standby_is_not_started_anew_under_the_eyes_of_who_ordered_it() {
    let world = World::new(1);
    let cadence =
        Cadence { snapshot: Duration::from_secs(1), sweep: Duration::from_secs(1), ..Cadence::default() };
    let rig = world.start(Arc::new(MemoryBackend::default()), cadence).await;
    let order = rig.confirmed(provision(3)).await;
    let all_stand = |fleet: &Fleet| fleet.live_instances().all(Instance::is_active);
    // The pairs are ready one after the other, and each primary is copied at once.
    rig.ended(&order).await;
    for _ in 0..10 {
        assert!(rig.read(all_stand), "{}", rig.picture());
        rig.pass(1).await;
    }
    for number in 1..=3 {
        let standby = rig.standby(number).id;
        rig.until("it takes the memory in later", |fleet| fleet.instances[&standby].remembers.is_some())
            .await;
    }
}
