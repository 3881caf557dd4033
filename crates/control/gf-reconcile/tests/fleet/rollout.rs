//! Canaries, and what is looked at between one batch of a rollout and the next.

use crate::{
    config::{configuration, push, tts},
    rig::{Rig, accounts, person, with_pairs},
};
use gf_model::{
    OperationId, RevisionId,
    operation::{LaneState, Operation, OperationState},
    verb::{Pace, Strategy},
};
use gf_requests::{Act, Options, Outcome, Push};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

pub async fn canary(rig: &Rig, count: u32, sizes: &[u32], patch: Value) -> Operation {
    let push = Push {
        accounts: accounts(count),
        patch,
        description: "test".into(),
        strategy: Strategy::Rolling,
        batch_size: 0,
        pace: Pace::gated(sizes.to_vec()),
    };
    let options = Options { confirmed: true, ..Options::default() };
    match rig.requests.push(&person("ada"), push, options).await.unwrap() {
        Outcome::Started(operation) => operation,
        other => panic!("it was not started: {other:?}"),
    }
}

fn states(rig: &Rig, id: &OperationId) -> Vec<LaneState> {
    rig.read(|fleet| fleet.lanes_of(id).map(|lane| lane.lane.state).collect())
}

fn errors(rig: &Rig, id: &OperationId) -> String {
    rig.read(|fleet| {
        fleet.lanes_of(id).filter_map(|lane| lane.lane.error.clone()).collect::<Vec<_>>().join("; ")
    })
}

/// Under this one OpenClaw takes the configuration and does not answer.
fn wedge() -> Value {
    json!({ "tts": { "auto": "wedge" } })
}

fn fine(style: &str) -> Value {
    json!({ "tts": { "auto": style } })
}

#[tokio::test(start_paused = true)]
async fn a_canary_grows_and_each_batch_is_looked_at_before_the_next_begins() {
    let (_world, rig) = with_pairs(6).await;
    let rollout = canary(&rig, 6, &[1, 2], fine("always")).await;
    let began = Instant::now();
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(ended.stages.iter().map(|stage| stage.lanes).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(began.elapsed() >= Duration::from_secs(3 * 10), "three gates took {:?}", began.elapsed());
    let passed: Vec<_> = ended.stages.iter().map(|stage| stage.passed_at.unwrap()).collect();
    for (stage, passed) in passed.iter().enumerate().take(2) {
        let began_next = rig.read(|fleet| {
            let next = fleet.lanes_of(&rollout.id).filter(|lane| lane.id.stage as usize == stage + 1);
            next.flat_map(|lane| &lane.lane.steps).filter_map(|step| step.started_at).min().unwrap()
        });
        assert!(began_next >= *passed);
    }
    for number in 1..=6 {
        assert_eq!(tts(&rig, number).await, (json!("always"), json!("always")));
    }
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_under_which_nothing_answers_stops_at_its_canary_and_leaves_nothing() {
    let (_world, rig) = with_pairs(4).await;
    rig.ended(&push(&rig, 4, fine("always"), 50).await).await;
    let rollout = canary(&rig, 4, &[1], wedge()).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Failed, "{}", rig.picture());
    use LaneState::{Skipped, Undone};
    assert_eq!(states(&rig, &rollout.id), [Undone, Skipped, Skipped, Skipped]);
    assert!(errors(&rig, &rollout.id).contains("is DEGRADED"), "{}", errors(&rig, &rollout.id));
    assert!(ended.error.unwrap().contains("batch 1 of 2"));
    for number in 1..=4 {
        assert_eq!(tts(&rig, number).await, (json!("always"), json!("always")), "{number}");
        assert_eq!(rig.gateway(number).revision, Some(RevisionId(1)));
    }
    rig.until("everything serves again", |fleet| fleet.live_instances().all(|it| it.is_active())).await;
    assert!(rig.operations("failover").is_empty(), "{}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn a_later_batch_that_is_not_well_is_put_back_and_those_before_it_stay() {
    let (_world, rig) = with_pairs(6).await;
    // They take it and then do not answer; the first of all is none of them.
    let rollout = canary(&rig, 6, &[1, 2], fine("always")).await;
    rig.until("the second batch settles", |fleet| {
        let all: Vec<_> = fleet.lanes_of(&rollout.id).map(|lane| lane.lane.state).collect();
        all[1] == LaneState::Done && all[2] == LaneState::Done
    })
    .await;
    rig.sim.sicken(&rig.primary(2).id, true).unwrap();
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Failed, "{}", rig.picture());
    use LaneState::{Done, Skipped, Undone};
    assert_eq!(states(&rig, &rollout.id), [Done, Undone, Undone, Skipped, Skipped, Skipped]);
    assert_eq!(tts(&rig, 1).await, (json!("always"), json!("always")));
    for number in 2..=6 {
        assert_eq!(rig.gateway(number).owned, json!({}), "{number}");
    }
    // Put right, what failed and what was skipped is done, and the first is not written to again.
    rig.sim.sicken(&rig.primary(2).id, false).unwrap();
    rig.until("it serves again", |fleet| {
        fleet.live_instances().all(|it| it.is_active())
            && fleet.operations.values().all(|operation| operation.finished_at.is_some())
    })
    .await;
    let writes = |rig: &Rig| {
        rig.read(|fleet| {
            fleet.lanes_of(&rollout.id).map(|lane| lane.lane.steps[0].attempts).collect::<Vec<_>>()
        })
    };
    assert_eq!(writes(&rig), [1, 1, 1, 0, 0, 0]);
    rig.requests.control(&person("ada"), &rollout.id, Act::Retry).await.unwrap();
    rig.until("the retry ended", |fleet| fleet.operations[&rollout.id].finished_at.is_some()).await;
    assert_eq!(states(&rig, &rollout.id), [Done; 6], "{}", rig.picture());
    assert_eq!(writes(&rig), [1, 2, 2, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn one_bad_target_in_each_of_many_batches_spends_the_budget_of_the_whole_rollout() {
    let (_world, rig) = with_pairs(9).await;
    for number in [1, 4] {
        rig.sim.malform(&rig.primary(number).id).unwrap();
    }
    let rollout = push(&rig, 9, fine("always"), 3).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Failed, "{}", rig.picture());
    use LaneState::{Done, Skipped, Undone};
    let seen = states(&rig, &rollout.id);
    // The first batch lost one of three, which one batch may; with the second one it is more than a twentieth of nine.
    assert_eq!(seen[..3], [Undone, Done, Done]);
    assert_eq!(seen[3..6], [Undone; 3]);
    assert_eq!(seen[6..], [Skipped; 3]);
    assert!(ended.error.unwrap().contains("of all targets"));
}

#[tokio::test(start_paused = true)]
async fn a_pause_in_the_middle_begins_no_batch_and_looks_again_before_it_goes_on() {
    let (_world, rig) = with_pairs(2).await;
    let rollout = canary(&rig, 2, &[1], fine("always")).await;
    rig.until("the canary settles", |fleet| {
        fleet.lanes_of(&rollout.id).next().is_some_and(|lane| lane.lane.state == LaneState::Done)
    })
    .await;
    rig.requests.control(&person("ada"), &rollout.id, Act::Pause).await.unwrap();
    rig.pass(600).await;
    assert_eq!(states(&rig, &rollout.id), [LaneState::Done, LaneState::Waiting]);
    rig.requests.control(&person("ada"), &rollout.id, Act::Resume).await.unwrap();
    let resumed = Instant::now();
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Done, "{}", rig.picture());
    assert!(resumed.elapsed() >= Duration::from_secs(2 * 10));
}

#[tokio::test(start_paused = true)]
async fn only_keys_that_change_are_sent_and_what_is_read_back_is_compared() {
    let (_world, rig) = with_pairs(1).await;
    rig.ended(&push(&rig, 1, fine("always"), 50).await).await;
    let primary = rig.primary(1).id;
    // Somebody edits a key that the next revision names with the value that it should have anyway.
    rig.sim.edit(&primary, &fine("by hand")).unwrap();
    let both = json!({ "tts": { "auto": "always" }, "session": { "dmScope": "per-peer" } });
    let rollout = push(&rig, 1, both, 50).await;
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Done, "{}", rig.picture());
    let changed = rig.read(|fleet| {
        let lane = fleet.lanes_of(&rollout.id).next().unwrap();
        lane.lane.steps.iter().map(|step| step.output["changes"].clone()).collect::<Vec<_>>()
    });
    let scope = json!([{ "path": "session.dmScope", "before": "\"main\"", "after": "\"per-peer\"" }]);
    assert_eq!(changed, [scope.clone(), scope]);
    // It was read back, found to differ, and put right by the same step.
    assert_eq!(configuration(&rig, &primary).await["tts"]["auto"], json!("always"));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_hold_what_was_written_has_failed() {
    let (_world, rig) = with_pairs(1).await;
    rig.sim.lose_writes(&rig.primary(1).id, true).unwrap();
    let rollout = push(&rig, 1, fine("always"), 50).await;
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Failed, "{}", rig.picture());
    assert!(errors(&rig, &rollout.id).contains("read back differently"), "{}", errors(&rig, &rollout.id));
    assert_eq!((rig.gateway(1).revision, rig.gateway(1).owned), (None, json!({})));
    assert_eq!(configuration(&rig, &rig.standby(1).id).await["tts"]["auto"], Value::Null);
}
