//! Every kind of operation, killed at every commit.

use crate::{
    cut::{a_pair, everywhere, is_settled, is_sound, runtime},
    disk::{Cut, Disk},
    rig::{World, account, calm, person},
    stories::{self, confirmed, push_of, told_everywhere},
};
use gf_model::{Tier, operation::OperationState, verb::Verb};
use std::sync::Arc;

told_everywhere!(
    but [];
    provision,
    provision_that_cannot_be_done_and_is_taken_back,
    teardown,
    restore,
    resize,
    restart,
    failover_and_the_standby_that_follows,
    config_push,
    config_push_that_is_put_back,
    rollback,
    provider_policy,
    update_nodes,
    update_nodes_of_which_a_ring_goes_back,
    update_nodes_that_is_taken_back,
    cancel,
);

#[test]
fn a_database_in_a_file_is_taken_up_by_the_next_control_plane() {
    let story = stories::resize();
    let world = World::new(9);
    let path = world.home.path().join("fleet.db");
    let disk = Disk::file(&path);
    runtime().block_on(async {
        let rig = world.start(Arc::clone(&disk) as _, calm()).await;
        a_pair(&rig).await;
        disk.arm(Cut::After(6));
        (story.act)(&rig).await;
        disk.died().await;
        world.time.end();
    });
    gf_store::Backend::close(&*disk);
    drop(disk);
    runtime().block_on(async {
        let rig = world.start(Disk::file(&path) as _, calm()).await;
        rig.until("all is settled", is_settled).await;
        is_sound(&rig).await;
        assert_eq!(rig.operations("resize")[0].state, OperationState::Done);
        assert_eq!((rig.primary(1).tier, rig.standby(1).tier), (Tier::Pro, Tier::Pro));
    });
}

#[tokio::test(start_paused = true)]
async fn answers_of_nodes_that_are_lost_make_nothing_happen_twice() {
    let (_world, rig) = crate::rig::with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    for node in [&primary.node, &standby.node] {
        rig.sim.mute_effects(node.as_ref().unwrap(), 1).unwrap();
    }
    let Ok(gf_requests::Outcome::Started(rollout)) =
        rig.requests.push(&person("ada"), push_of(1), confirmed()).await
    else {
        panic!("it was not started")
    };
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(rig.gateway(1).taken.len(), 1);
    let back = rig.confirmed(Verb::Rollback { rollout: rollout.id, accounts: vec![] }).await;
    assert_eq!(rig.ended(&back).await.state, OperationState::Done);

    for node in [&primary.node, &standby.node] {
        rig.sim.mute_effects(node.as_ref().unwrap(), 1).unwrap();
    }
    let moved =
        rig.confirmed(Verb::Failover { account: account(1), reason: "test".into(), outage: None }).await;
    assert_eq!(rig.ended(&moved).await.state, OperationState::Done, "{}", rig.picture());
    rig.until("all is settled", is_settled).await;
    is_sound(&rig).await;
}
