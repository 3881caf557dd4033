//! Nodes that are a version apart: what they say that is not known here does no harm, and what was recorded from the
//! version before is understood.

use crate::{
    node::{Node, enrolled, hello, key},
    registry::{Fleet, fleet, id},
};
use gf_node_hub::{CommandMeta, NodeEvent};
use gf_node_proto::{
    Done, Event, EventAck, GoodbyeReason, Heartbeat, Hello, InstanceState, InstanceStop, InstanceSummary,
    PROTOCOL_MAX, PROTOCOL_MIN, encode, envelope,
};
use std::time::Duration;

/// Field 99 with a text of two letters, in whatever it is put at the end of.
const UNKNOWN_FIELD: [u8; 5] = [0x9a, 0x06, 0x02, b'h', b'i'];

/// A frame that the last build which spoke protocol 1 only has written.
fn recorded(name: &str) -> Vec<u8> {
    let lines = include_str!("../../../../node/gf-node-proto/testdata/protocol-1.txt").lines();
    let frame = lines.filter_map(|line| line.split_once(' ')).find(|(found, _)| *found == name);
    hex::decode(frame.unwrap().1).unwrap()
}

/// A message of this number of the envelope, as somebody newer writes it.
fn grown(body: impl Into<envelope::Body>) -> Vec<u8> {
    let plain = encode(body).unwrap();
    let key = if plain[0] & 0x80 == 0 { 1 } else { 2 };
    assert!(plain[key] < 120, "its length is one byte, before and after");
    let mut frame = plain.to_vec();
    frame[key] += UNKNOWN_FIELD.len() as u8;
    frame.extend(UNKNOWN_FIELD);
    frame
}

async fn changed(fleet: &mut Fleet) -> InstanceSummary {
    loop {
        if let NodeEvent::Changed { changed, .. } = fleet.event().await {
            return changed[0].clone();
        }
    }
}

#[tokio::test]
async fn a_node_of_the_version_before_is_taken_in_and_understood() {
    let mut fleet = fleet();
    drop(enrolled(&mut fleet, "node-local-a").await);
    // Until the next challenge holds the nonce of the recorded one.
    loop {
        let mut node = Node::dial(&fleet);
        node.send_raw(recorded("hello")).await;
        if node.next_frame().await != recorded("challenge") {
            continue;
        }
        node.send_raw(recorded("proof")).await;
        node.welcome().await;
        node.send_raw(recorded("heartbeat")).await;
        let summary = changed(&mut fleet).await;
        assert_eq!((summary.instance_id.as_str(), summary.state()), ("i-7f3a", InstanceState::Active));
        node.send_raw(recorded("event")).await;
        let NodeEvent::Reported { event, receipt, .. } = fleet.event().await else { panic!("no event") };
        assert_eq!(event.instance_id, "i-7f3a");
        receipt.done();
        assert_eq!(node.next().await, EventAck { seq: 1 }.into());

        let stop = InstanceStop { instance_id: "i-7f3a".into(), drain: true };
        let meta = CommandMeta::new("op-91c2/3", Duration::from_secs(60));
        let pending = fleet.hub.start(&id("node-local-a"), stop, meta).unwrap();
        node.command().await;
        node.send_raw(recorded("result")).await;
        assert_eq!(pending.answer().await.unwrap(), Done {}.into());
        return;
    }
}

#[tokio::test]
async fn a_newer_node_is_taken_in_and_what_is_not_known_of_it_is_passed_over() {
    let mut fleet = fleet();
    drop(enrolled(&mut fleet, "node-local-a").await);
    let mut node = Node::dial(&fleet);
    let newer = Hello { protocol_min: PROTOCOL_MAX, protocol_max: PROTOCOL_MAX + 1, ..hello("node-local-a") };
    node.prove_as(grown(newer), &key(7)).await;
    node.welcome().await;

    // A message of number 77, then a state and a field that nobody here has heard of.
    node.send_raw(vec![0xea, 0x04, 0x02, 0x08, 0x01]).await;
    let summary = |state| InstanceSummary { instance_id: "i-7f3a".into(), state, ..Default::default() };
    let beat = |state| Heartbeat { at_ms: 1, instances: vec![summary(state)], ..Heartbeat::default() };
    node.send_raw(grown(beat(InstanceState::Active.into()))).await;
    assert_eq!(changed(&mut fleet).await.state(), InstanceState::Active);
    node.send_raw(grown(beat(4_711))).await;
    assert_eq!(changed(&mut fleet).await.state(), InstanceState::Unspecified);

    // An event of a kind that nobody here has heard of is taken care of, or the node would tell it for ever.
    node.send_raw(grown(Event { seq: 1, instance_id: "i-7f3a".into(), ..Event::default() })).await;
    let NodeEvent::Reported { event, receipt, .. } = fleet.event().await else { panic!("no event") };
    assert_eq!(event.kind, None);
    receipt.done();
    assert_eq!(node.next().await, EventAck { seq: 1 }.into());
    assert!(fleet.hub.is_connected(&id("node-local-a")));
}

#[tokio::test]
async fn a_node_two_versions_apart_is_told_what_to_do() {
    let fleet = fleet();
    let cases = [
        (PROTOCOL_MAX + 1, PROTOCOL_MAX + 2, GoodbyeReason::ProtocolTooNew, "update the control plane first"),
        (PROTOCOL_MIN - 1, PROTOCOL_MIN - 1, GoodbyeReason::UnexpectedFrame, "no protocol version at all"),
    ];
    for (protocol_min, protocol_max, reason, said) in cases {
        let mut node = Node::dial(&fleet);
        node.send(Hello { protocol_min, protocol_max, ..hello("node-local-a") }).await;
        let goodbye = node.goodbye().await;
        assert_eq!(goodbye.reason(), reason);
        assert!(goodbye.detail.contains(said), "{goodbye:?}");
    }
}
