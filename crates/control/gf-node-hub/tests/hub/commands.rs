//! Commands and their answers, also when the answer is lost on the way.

use crate::{
    node::{enrolled, returned},
    registry::{fleet, id},
};
use gf_node_hub::{CommandError, CommandMeta};
use gf_node_proto::{
    COMMANDS_IN_FLIGHT, CommandFailure, CommandProgress, CommandResult, Done, FailureCode, InstanceStop,
    MAX_FRAME_BYTES, MachineInfo, OpenclawHealth, VpsInfo, command_result, envelope, reply,
};
use std::time::Duration;

fn meta(key: &str) -> CommandMeta {
    CommandMeta {
        operation: "op-91c2".into(),
        generation: 4,
        ..CommandMeta::new(key, Duration::from_secs(5))
    }
}

fn stop() -> InstanceStop {
    InstanceStop { instance_id: "i-7f3a".into(), drain: true }
}

#[tokio::test]
async fn a_command_is_answered() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let pending = fleet.hub.start(&id("node-local-a"), VpsInfo {}, meta("k1")).unwrap();
    let command = node.command().await;
    assert_eq!((command.key.as_str(), command.operation.as_str(), command.generation), ("k1", "op-91c2", 4));
    node.answer("k1", MachineInfo { hostname: "here".into(), ..MachineInfo::default() }).await;
    let Some(reply::Body::Info(info)) = pending.answer().await.unwrap().body else { panic!("no info") };
    assert_eq!(info.hostname, "here");
}

#[tokio::test]
async fn what_is_sent_for_a_trace_carries_its_id() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let send = async |key: &str| fleet.hub.start(&id("node-local-a"), VpsInfo {}, meta(key)).unwrap();
    let _first = gf_node_hub::trace::within(Some(trace.into()), send("k1")).await;
    assert_eq!(node.command().await.trace, trace);
    let _second = send("k2").await;
    assert_eq!(node.command().await.trace, "");
}

#[tokio::test]
async fn a_failure_is_typed() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let pending = fleet.hub.start(&id("node-local-a"), stop(), meta("k1")).unwrap();
    node.command().await;
    let failure = CommandFailure {
        code: FailureCode::UnknownInstance.into(),
        message: "there is no i-7f3a here".into(),
        ..CommandFailure::default()
    };
    let outcome = Some(command_result::Outcome::Error(failure));
    node.send(CommandResult { key: "k1".into(), outcome }).await;
    let error = pending.answer().await.unwrap_err();
    assert_eq!(error.failure().unwrap().code(), FailureCode::UnknownInstance);
    assert!(!error.is_uncertain());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let pending = fleet.hub.start(&id("node-local-a"), stop(), meta("k1")).unwrap();
    let first = node.command().await;
    drop(node.link);

    let (mut node, _) = returned(&mut fleet, "node-local-a").await;
    assert_eq!(node.command().await, first);
    node.answer("k1", Done {}).await;
    pending.answer().await.unwrap();
}

#[tokio::test]
async fn two_callers_with_one_key_share_one_command() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let target = id("node-local-a");
    let first = fleet.hub.start(&target, stop(), meta("k1")).unwrap();
    let second = fleet.hub.start(&target, stop(), meta("k1")).unwrap();
    let other = fleet.hub.start(&target, VpsInfo {}, meta("k1"));
    assert!(matches!(other, Err(CommandError::KeyInUse { .. })));
    node.command().await;
    node.answer("k1", Done {}).await;
    first.answer().await.unwrap();
    second.answer().await.unwrap();
}

#[tokio::test]
async fn progress_arrives_and_a_cancel_leaves() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let mut pending = fleet.hub.start(&id("node-local-a"), stop(), meta("k1")).unwrap();
    node.command().await;
    node.send(CommandProgress { key: "k1".into(), done: 1, total: 3, message: "draining".into() }).await;
    assert_eq!(pending.progress().await.unwrap().message, "draining");
    pending.cancel();
    let envelope::Body::Cancel(cancel) = node.next().await else { panic!("no cancel") };
    assert_eq!(cancel.key, "k1");
}

#[tokio::test]
async fn what_was_not_sent_is_known_not_to_have_happened() {
    let mut fleet = fleet();
    let away = fleet.hub.start(&id("node-local-a"), stop(), meta("k1")).map(|_| ());
    assert!(matches!(away, Err(CommandError::NotConnected { .. })));

    let _node = enrolled(&mut fleet, "node-local-a").await;
    let big = OpenclawHealth { instance_id: "x".repeat(MAX_FRAME_BYTES) };
    let big = fleet.hub.start(&id("node-local-a"), big, meta("k2")).map(|_| ());
    assert!(matches!(big, Err(CommandError::TooLarge(_))));

    let held: Vec<_> = (0..COMMANDS_IN_FLIGHT)
        .map(|n| fleet.hub.start(&id("node-local-a"), stop(), meta(&format!("k-{n}"))).unwrap())
        .collect();
    let over = fleet.hub.start(&id("node-local-a"), stop(), meta("one more")).map(|_| ());
    assert!(matches!(over, Err(CommandError::Busy { .. })));
    drop(held);
    fleet.hub.start(&id("node-local-a"), stop(), meta("room again")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_not_answered_is_uncertain() {
    let mut fleet = fleet();
    let mut node = enrolled(&mut fleet, "node-local-a").await;
    let pending = fleet.hub.start(&id("node-local-a"), stop(), meta("k1")).unwrap();
    node.command().await;
    assert!(pending.answer().await.unwrap_err().is_uncertain());
}
