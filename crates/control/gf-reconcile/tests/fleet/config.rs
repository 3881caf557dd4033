//! Rollouts: in batches, around what is broken, put back where too much fails, and taken back in order.

use crate::rig::{Rig, account, accounts, person, with_pairs};
use gf_model::{
    InstanceId, OperationId, RevisionId,
    operation::{LaneState, Operation, OperationState},
    verb::{Pace, Strategy, Verb},
};
use gf_node_proto::{ConfigGet, reply::Body};
use gf_requests::{Act, Options, Outcome, Push, Refusal};
use serde_json::{Value, json};
use std::time::Duration;

pub async fn push(rig: &Rig, count: u32, patch: Value, batch_size: u32) -> Operation {
    let push = Push {
        accounts: accounts(count),
        patch,
        description: "test".into(),
        strategy: Strategy::Rolling,
        batch_size,
        pace: Pace::gated(vec![]),
    };
    let options = Options { confirmed: true, ..Options::default() };
    match rig.requests.push(&person("ada"), push, options).await.unwrap() {
        Outcome::Started(operation) => operation,
        other => panic!("it was not started: {other:?}"),
    }
}

pub async fn rollback(rig: &Rig, rollout: &OperationId) -> Result<Operation, Refusal> {
    match rig.ask_confirmed(Verb::Rollback { rollout: rollout.clone(), accounts: vec![] }).await? {
        Outcome::Started(operation) => Ok(operation),
        other => panic!("it was not started: {other:?}"),
    }
}

/// What stands in the instance's own configuration.
pub async fn configuration(rig: &Rig, id: &InstanceId) -> Value {
    let node = rig.instance(id).node.unwrap();
    let meta = gf_node_hub::CommandMeta::new(
        format!("get/{id}/{:?}", tokio::time::Instant::now()),
        Duration::from_secs(60),
    );
    let reply = rig
        .engine
        .hands()
        .hub
        .command(&node, ConfigGet { instance_id: id.to_string(), owned: false }, meta)
        .await
        .unwrap();
    let Some(Body::Config(document)) = reply.body else { panic!("a configuration was expected") };
    serde_json::from_str(&document.json).unwrap()
}

pub async fn tts(rig: &Rig, number: u32) -> (Value, Value) {
    let (primary, standby) = (rig.primary(number).id, rig.standby(number).id);
    (
        configuration(rig, &primary).await["tts"]["auto"].clone(),
        configuration(rig, &standby).await["tts"]["auto"].clone(),
    )
}

fn states(rig: &Rig, operation: &Operation) -> Vec<LaneState> {
    rig.read(|fleet| fleet.lanes_of(&operation.id).map(|lane| lane.lane.state).collect())
}

#[tokio::test(start_paused = true)]
async fn a_rollout_reaches_every_instance_and_a_rollback_puts_back_what_each_had() {
    let (_world, rig) = with_pairs(3).await;
    let first = push(&rig, 1, json!({"tts": {"auto": "always"}}), 50).await;
    assert_eq!(rig.ended(&first).await.state, OperationState::Done, "{}", rig.picture());
    let second = push(&rig, 3, json!({"tts": {"auto": "tagged"}}), 2).await;
    let ended = rig.ended(&second).await;
    assert_eq!((ended.state, ended.stages.len()), (OperationState::Done, 2));
    for number in 1..=3 {
        assert_eq!(tts(&rig, number).await, (json!("tagged"), json!("tagged")));
        assert_eq!(rig.gateway(number).revision, Some(RevisionId(2)));
        assert_eq!(rig.standby(number).revision, Some(RevisionId(2)));
    }
    let back = rollback(&rig, &second.id).await.unwrap();
    assert_eq!(rig.ended(&back).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(tts(&rig, 1).await, (json!("always"), json!("always")));
    assert_eq!(rig.gateway(1).revision, Some(RevisionId(1)));
    assert_eq!(rig.gateway(1).owned, json!({"tts": {"auto": "always"}}));
    for number in 2..=3 {
        assert_eq!(tts(&rig, number).await, (Value::Null, Value::Null));
        assert_eq!((rig.gateway(number).revision, rig.gateway(number).owned), (None, json!({})));
        assert!(rig.gateway(number).taken.is_empty());
    }
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn one_broken_configuration_of_ten_is_flagged_and_left_and_its_standby_put_back() {
    let (_world, rig) = with_pairs(10).await;
    let broken = rig.primary(4).id;
    rig.sim.malform(&broken).unwrap();
    let rollout = push(&rig, 10, json!({"tts": {"auto": "tagged"}}), 50).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Partial, "{}", rig.picture());
    let states = states(&rig, &rollout);
    assert_eq!(states.iter().filter(|state| **state == LaneState::Done).count(), 9);
    assert_eq!(states[3], LaneState::Undone);
    let lane = rig.read(|fleet| fleet.lanes_of(&rollout.id).nth(3).unwrap().lane.clone());
    assert!(lane.flagged && lane.error.is_some());
    assert!(rig.instance(&broken).flagged.is_some());
    let standby = rig.standby(4).id;
    assert_eq!(configuration(&rig, &standby).await["tts"]["auto"], Value::Null);
    assert_eq!((rig.gateway(4).revision, rig.standby(4).revision), (None, None));
    assert_eq!(tts(&rig, 5).await, (json!("tagged"), json!("tagged")));
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_too_much_fails_is_put_back_and_ends_the_rollout() {
    let (_world, rig) = with_pairs(6).await;
    for number in [1, 2] {
        rig.sim.malform(&rig.primary(number).id).unwrap();
    }
    let rollout = push(&rig, 6, json!({"tts": {"auto": "tagged"}}), 4).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Failed, "{}", rig.picture());
    use LaneState::{Skipped, Undone};
    assert_eq!(states(&rig, &rollout), [Undone, Undone, Undone, Undone, Skipped, Skipped]);
    for number in 3..=6 {
        assert_eq!(tts(&rig, number).await, (Value::Null, Value::Null));
        assert_eq!(rig.gateway(number).revision, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_revision_would_break_is_refused_by_openclaw_and_nothing_stays_of_it() {
    let (_world, rig) = with_pairs(2).await;
    let rollout = push(&rig, 2, json!({"nonsense": true}), 50).await;
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Failed);
    for number in 1..=2 {
        assert_eq!((rig.gateway(number).revision, rig.gateway(number).owned), (None, json!({})));
        let standby = configuration(&rig, &rig.standby(number).id).await;
        assert_eq!(standby.get("nonsense"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_revision_is_not_taken_back_from_under_a_newer_one() {
    let (_world, rig) = with_pairs(2).await;
    let older = push(&rig, 2, json!({"tts": {"auto": "tagged"}}), 50).await;
    rig.ended(&older).await;
    let newer = push(&rig, 1, json!({"session": {"dmScope": "per-peer"}}), 50).await;
    rig.ended(&newer).await;
    let refused = rollback(&rig, &older.id).await.unwrap_err();
    assert!(refused.message.contains("v2") && refused.message.contains("first"), "{refused:?}");
    let by_act = rig.requests.control(&person("ada"), &older.id, Act::Rollback).await.unwrap_err();
    assert_eq!(by_act.code, "no_way_back");
    // In order it works, down to what was there before both.
    for rollout in [&newer, &older] {
        let back = rollback(&rig, &rollout.id).await.unwrap();
        assert_eq!(rig.ended(&back).await.state, OperationState::Done, "{}", rig.picture());
    }
    for number in 1..=2 {
        assert_eq!(tts(&rig, number).await, (Value::Null, Value::Null));
        let primary = configuration(&rig, &rig.primary(number).id).await;
        assert_eq!(primary["session"]["dmScope"], json!("main"));
        assert_eq!(rig.gateway(number).revision, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_was_built_with_a_revision_loses_it_with_the_others() {
    let (_world, rig) = with_pairs(1).await;
    let rollout = push(&rig, 1, json!({"tts": {"auto": "tagged"}}), 50).await;
    rig.ended(&rollout).await;
    let old = rig.standby(1).id;
    rig.sim.break_start(&old, Some(gf_node_proto::FailureReason::StateUnreadable)).unwrap();
    rig.sim.kill(&old).unwrap();
    rig.until("it was replaced", |fleet| {
        fleet.standby_of(&account(1)).is_some_and(|it| it.id != old && it.is_active())
            && fleet.operations.values().all(|op| op.finished_at.is_some())
    })
    .await;
    assert_eq!(tts(&rig, 1).await, (json!("tagged"), json!("tagged")));
    let back = rollback(&rig, &rollout.id).await.unwrap();
    assert_eq!(rig.ended(&back).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(tts(&rig, 1).await, (Value::Null, Value::Null));
    assert_eq!(rig.standby(1).revision, None);
}
