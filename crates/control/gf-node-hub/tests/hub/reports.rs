//! What nodes report, and when they may forget it.

use crate::{
    node::{Node, enrolled, returned},
    registry::{Fleet, fleet, id},
};
use gf_node_hub::{NodeEvent, Receipt};
use gf_node_proto::{
    Event, EventAck, Heartbeat, InstanceDeleted, InstanceState, InstanceSummary, Resources, envelope,
};

fn event(seq: u64) -> Event {
    Event { seq, instance_id: "i-7f3a".into(), kind: Some(InstanceDeleted {}.into()), ..Event::default() }
}

async fn reported(fleet: &mut Fleet) -> (u64, Receipt) {
    loop {
        if let NodeEvent::Reported { event, receipt, .. } = fleet.event().await {
            return (event.seq, receipt);
        }
    }
}

async fn acknowledged(node: &mut Node) -> u64 {
    match node.next().await {
        envelope::Body::EventAck(EventAck { seq }) => seq,
        other => panic!("an acknowledgement was expected, not {other:?}"),
    }
}

#[tokio::test]
async fn an_event_is_acknowledged_when_it_was_taken_care_of() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    node.send(event(1)).await;
    node.send(event(2)).await;
    let (_, first) = reported(&mut fleet).await;
    let (_, second) = reported(&mut fleet).await;
    second.done();
    first.done();
    assert_eq!(acknowledged(&mut node).await, 2);
}

#[tokio::test]
async fn what_nobody_took_care_of_is_told_again_after_a_reconnect() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    node.send(event(1)).await;
    node.send(event(2)).await;
    reported(&mut fleet).await.1.done();
    assert_eq!(acknowledged(&mut node).await, 1);
    drop(reported(&mut fleet).await);
    drop(node.link);

    let (mut node, welcome) = returned(&mut fleet, "node-local-a").await;
    assert_eq!(welcome.events_acknowledged, 1);
    node.send(event(2)).await;
    let (seq, receipt) = reported(&mut fleet).await;
    receipt.done();
    assert_eq!(seq, 2);
    assert_eq!(acknowledged(&mut node).await, 2);
}

#[tokio::test]
async fn an_acknowledgement_that_was_lost_is_said_again_and_the_event_is_not() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    node.send(event(1)).await;
    reported(&mut fleet).await.1.done();
    drop(node.link);

    let (mut node, _) = returned(&mut fleet, "node-local-a").await;
    node.send(event(1)).await;
    assert_eq!(acknowledged(&mut node).await, 1);
    assert!(fleet.events.try_recv().is_err(), "the event was told twice");
}

#[tokio::test]
async fn heartbeats_tell_only_what_changed() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let beat = |state: InstanceState, at_ms| Heartbeat {
        lease_seq: 0,
        witness_address: String::new(),
        at_ms,
        resources: Some(Resources { cpu_count: 2, ..Resources::default() }),
        instances: vec![InstanceSummary {
            instance_id: "i-7f3a".into(),
            state: state.into(),
            ..InstanceSummary::default()
        }],
    };
    node.send(beat(InstanceState::Active, 1)).await;
    node.send(beat(InstanceState::Active, 2)).await;
    node.send(beat(InstanceState::Failed, 3)).await;
    for wanted in [InstanceState::Active, InstanceState::Failed] {
        let NodeEvent::Changed { changed, .. } = fleet.event().await else { panic!("no change") };
        assert_eq!(changed[0].state(), wanted);
    }
    let view = fleet.hub.node(&id("node-local-a")).unwrap();
    assert_eq!(view.instances[0].state(), InstanceState::Failed);
    assert_eq!(view.resources.unwrap().cpu_count, 2);
}
