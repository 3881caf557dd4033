//! Who is let in, and what the others are told.

use crate::{
    node::{Node, enrolled, hello, key, returned},
    registry::{fleet, fleet_with, id},
};
use gf_node_hub::{CommandError, CommandMeta, LinkEnd, NodeEvent};
use gf_node_proto::{EventAck, GoodbyeReason, Hello, MAX_FRAME_BYTES, NodeRole, PROTOCOL_MAX, VpsInfo};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[tokio::test]
async fn a_node_enrols_once_and_comes_back_by_its_key() {
    let mut fleet = fleet();
    let first = enrolled(&mut fleet, "node-local-a").await;
    assert!(fleet.hub.is_connected(&id("node-local-a")));
    drop(first.link);
    assert!(matches!(fleet.event().await, NodeEvent::Lost { .. }));
    assert!(!fleet.hub.is_connected(&id("node-local-a")));

    let (_node, welcome) = returned(&mut fleet, "node-local-a").await;
    assert_eq!(welcome.controller_generation, 3);
    assert!(fleet.hub.node(&id("node-local-a")).unwrap().connected);
}

#[tokio::test]
async fn the_answer_to_an_enrolment_may_be_lost() {
    let fleet = fleet();
    let token = fleet.token_for("node-local-a");
    for _ in 0..2 {
        let mut node = Node::dial(&fleet);
        node.enrol("node-local-a", &key(7), &token).await;
        node.welcome().await;
    }
}

#[tokio::test]
async fn a_used_token_is_refused() {
    let mut fleet = fleet();
    let token = fleet.token_for("node-local-a");
    let mut first = Node::dial(&fleet);
    first.enrol("node-local-a", &key(7), &token).await;
    first.welcome().await;
    fleet.event().await;

    let mut thief = Node::dial(&fleet);
    thief.enrol("node-local-a", &key(8), &token).await;
    assert_eq!(thief.goodbye().await.reason(), GoodbyeReason::TokenUsed);
    assert!(fleet.hub.is_connected(&id("node-local-a")), "the rightful node was pushed out");
}

#[tokio::test]
async fn an_unknown_token_and_one_for_another_node_are_refused() {
    let fleet = fleet();
    let unknown = fleet.hub.mint_token();
    let for_a = fleet.token_for("node-local-a");
    for token in [unknown, for_a] {
        let mut node = Node::dial(&fleet);
        node.enrol("node-local-b", &key(7), &token).await;
        assert_eq!(node.goodbye().await.reason(), GoodbyeReason::TokenUnknown);
    }
}

#[tokio::test]
async fn a_name_belongs_to_the_key_that_enrolled_with_it() {
    let mut fleet = fleet();
    let _rightful = enrolled(&mut fleet, "node-local-a").await;
    let fresh = fleet.token_for("node-local-a");
    let mut other = Node::dial(&fleet);
    other.enrol("node-local-a", &key(8), &fresh).await;
    assert_eq!(other.goodbye().await.reason(), GoodbyeReason::NameTaken);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let mut fleet = fleet();
    drop(enrolled(&mut fleet, "node-local-a").await);
    let mut node = Node::dial(&fleet);
    node.prove("node-local-a", &key(9)).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::BadSignature);
}

#[tokio::test]
async fn a_node_that_never_enrolled_is_told_so() {
    let fleet = fleet();
    let mut node = Node::dial(&fleet);
    node.prove("node-local-a", &key(7)).await;
    let goodbye = node.goodbye().await;
    assert_eq!(goodbye.reason(), GoodbyeReason::UnknownNode);
    assert!(goodbye.detail.contains("token"), "{}", goodbye.detail);
}

#[tokio::test]
async fn hellos_that_cannot_be_served_are_refused_by_name() {
    let fleet = fleet();
    let fine = hello("node-local-a");
    let refused = [
        (Hello { protocol_min: 0, protocol_max: 0, ..fine.clone() }, GoodbyeReason::UnexpectedFrame),
        (
            Hello { protocol_min: PROTOCOL_MAX + 1, protocol_max: PROTOCOL_MAX + 1, ..fine.clone() },
            GoodbyeReason::ProtocolTooNew,
        ),
        (Hello { node_id: "../../etc".into(), ..fine.clone() }, GoodbyeReason::UnknownNode),
        (Hello { node_id: "local-a".into(), ..fine.clone() }, GoodbyeReason::UnknownNode),
        (Hello { role: NodeRole::Guest.into(), ..fine.clone() }, GoodbyeReason::UnknownNode),
        (Hello { nonce: vec![1; 4], ..fine }, GoodbyeReason::BadSignature),
    ];
    for (hello, reason) in refused {
        let mut node = Node::dial(&fleet);
        node.send(hello.clone()).await;
        assert_eq!(node.goodbye().await.reason(), reason, "{hello:?}");
    }
}

#[tokio::test]
async fn garbage_is_refused_before_and_after_the_handshake() {
    let mut fleet = fleet();
    let mut stranger = Node::dial(&fleet);
    stranger.send_raw(vec![0xff; 300]).await;
    assert_eq!(stranger.goodbye().await.reason(), GoodbyeReason::MalformedFrame);

    let mut node = enrolled(&mut fleet, "node-local-a").await;
    node.send_raw(vec![0xff; 300]).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::MalformedFrame);
    let end = node.served.await.unwrap();
    assert!(matches!(end, LinkEnd::Refused { reason: GoodbyeReason::MalformedFrame, .. }), "{end}");
    assert!(matches!(fleet.event().await, NodeEvent::Lost { .. }));
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused() {
    let fleet = fleet();
    let mut node = Node::dial(&fleet);
    node.send_raw(vec![0; MAX_FRAME_BYTES + 1]).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::FrameTooLarge);
}

#[tokio::test]
async fn what_only_the_control_plane_says_is_not_taken_from_a_node() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    node.send(EventAck { seq: 1 }).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::UnexpectedFrame);
}

#[tokio::test]
async fn the_newer_connection_of_a_node_replaces_the_older() {
    let mut fleet = fleet();
    let mut older = enrolled(&mut fleet, "node-local-a").await;
    let (_newer, _) = returned(&mut fleet, "node-local-a").await;
    assert_eq!(older.goodbye().await.reason(), GoodbyeReason::Replaced);
    assert!(fleet.hub.is_connected(&id("node-local-a")));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_handshake_and_a_link() {
    let mut fleet = fleet();
    let mut mute = Node::dial(&fleet);
    assert_eq!(mute.goodbye().await.reason(), GoodbyeReason::Silent);

    let mut node = enrolled(&mut fleet, "node-local-a").await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::Silent);
    assert!(matches!(fleet.event().await, NodeEvent::Lost { .. }));
}

#[tokio::test]
async fn a_control_plane_that_goes_says_so() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    fleet.hub.shut_down();
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::ShuttingDown);
}

#[tokio::test]
async fn a_hub_that_follows_sends_nodes_on_and_uses_up_no_token() {
    let leader = "ws://127.0.0.1:7410/node/v1/link".to_owned();
    let told = leader.clone();
    let mut fleet = fleet_with(move |config| config.elsewhere = Some(Arc::new(move || vec![told.clone()])));
    let token = fleet.token_for("node-local-a");
    let mut node = Node::dial(&fleet);
    node.enrol("node-local-a", &key(7), &token).await;
    let goodbye = node.goodbye().await;
    assert_eq!((goodbye.reason(), goodbye.control), (GoodbyeReason::Unavailable, vec![leader]));

    fleet.hub.lead(9);
    let mut node = Node::dial(&fleet);
    node.enrol("node-local-a", &key(7), &token).await;
    assert_eq!(node.welcome().await.controller_generation, 9);
    assert!(matches!(fleet.event().await, NodeEvent::Connected { .. }));
}

#[tokio::test]
async fn nothing_is_sent_by_a_hub_that_may_have_been_replaced() {
    let leads = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&leads);
    let mut fleet =
        fleet_with(move |config| config.may_send = Arc::new(move || asked.load(Ordering::Relaxed)));
    let _node = enrolled(&mut fleet, "node-local-a").await;
    leads.store(false, Ordering::Relaxed);
    let meta = CommandMeta::new("k", std::time::Duration::from_secs(1));
    let refused = fleet.hub.start(&id("node-local-a"), VpsInfo {}, meta).err().unwrap();
    assert!(matches!(&refused, CommandError::NotLeading { .. }) && !refused.is_uncertain(), "{refused}");
}
