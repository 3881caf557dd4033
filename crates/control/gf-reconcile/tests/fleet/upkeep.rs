//! Pins and maintenance windows that are set while a rollout or a restart runs: each step goes by what is so then.

use crate::{
    config::tts,
    rig::{Rig, account, person, with_pairs},
    rollout::canary,
};
use gf_model::{
    OperationId, RevisionId,
    ambient::Clock,
    fleet::Fleet,
    operation::{LaneState, OperationState, StepState},
    upkeep::Window,
    verb::Verb,
};
use gf_requests::{Act, Keep, Options, Outcome};
use serde_json::json;

async fn keep(rig: &Rig, number: u32, keep: Keep) {
    rig.requests.keep(&person("ada"), &account(number), keep).await.unwrap();
}

fn pinned() -> Keep {
    Keep::Pinned { reason: "their launch is today".into() }
}

/// One hour that begins in so many hours.
fn window(rig: &Rig, hours: i64) -> Window {
    let at = |hours| (rig.time.now() + jiff::SignedDuration::from_hours(hours)).strftime("%H:%M").to_string();
    format!("{}-{}", at(hours), at(hours + 1)).parse().unwrap()
}

fn lanes(rig: &Rig, id: &OperationId) -> Vec<(String, LaneState, Option<String>)> {
    rig.read(|fleet| {
        fleet
            .lanes_of(id)
            .map(|lane| (lane.lane.target.clone(), lane.lane.state, lane.lane.error.clone()))
            .collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_is_set_while_a_rollout_runs_holds_back_the_rest_and_a_retry_reaches_it_after_it() {
    let (_world, rig) = with_pairs(4).await;
    let rollout = canary(&rig, 4, &[1], json!({ "tts": { "auto": "always" } })).await;
    rig.until("the canary settles", |fleet| {
        fleet.lanes_of(&rollout.id).next().is_some_and(|lane| lane.lane.state == LaneState::Done)
    })
    .await;
    keep(&rig, 3, pinned()).await;
    keep(&rig, 4, Keep::Within(window(&rig, 5))).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Partial, "{}", rig.picture());
    let found = lanes(&rig, &rollout.id);
    use LaneState::{Done, Skipped};
    assert_eq!(found.iter().map(|lane| lane.1).collect::<Vec<_>>(), [Done, Done, Skipped, Skipped]);
    assert!(found[2].2.as_ref().unwrap().contains("acct-0003 is left out: it is pinned"), "{found:?}");
    assert!(found[3].2.as_ref().unwrap().contains("its maintenance window is"), "{found:?}");
    assert_eq!(rig.gateway(3).revision, None);
    assert_eq!(tts(&rig, 3).await, (json!(null), json!(null)));

    keep(&rig, 3, Keep::Unpinned).await;
    keep(&rig, 4, Keep::AtAnyTime).await;
    rig.requests.control(&person("ada"), &rollout.id, Act::Retry).await.unwrap();
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Done, "{}", rig.picture());
    for number in 1..=4 {
        assert_eq!(tts(&rig, number).await, (json!("always"), json!("always")), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_pinned_between_its_halves_is_put_back_and_is_no_failure() {
    let (_world, rig) = with_pairs(1).await;
    let rollout = canary(&rig, 1, &[1], json!({ "tts": { "auto": "always" } })).await;
    let half = |fleet: &Fleet| {
        let lane = fleet.lanes_of(&rollout.id).next().cloned();
        lane.is_some_and(|lane| lane.lane.steps[0].state == StepState::Running)
    };
    rig.until("the standby is written to", half).await;
    keep(&rig, 1, pinned()).await;
    rig.ended(&rollout).await;
    let found = lanes(&rig, &rollout.id);
    assert_eq!(found[0].1, LaneState::Skipped, "{}", rig.picture());
    assert_eq!(tts(&rig, 1).await, (json!(null), json!(null)), "neither half has it");
    assert_eq!(rig.gateway(1).revision, None::<RevisionId>);
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_set_while_restarts_run_holds_back_those_that_are_well() {
    let (_world, rig) = with_pairs(2).await;
    let primaries: Vec<_> = (1..=2).map(|number| rig.primary(number).id).collect();
    let restart = Verb::Restart { instances: primaries.clone(), reason: "test".into(), concurrency: 1 };
    let Ok(Outcome::Started(operation)) = rig
        .requests
        .request(&person("ada"), restart, Options { confirmed: true, ..Options::default() })
        .await
    else {
        panic!("a person restarts two")
    };
    rig.until("the first is being restarted", |fleet| {
        fleet.lanes_of(&operation.id).any(|lane| lane.lane.state == LaneState::Running)
    })
    .await;
    let window = window(&rig, 5);
    keep(&rig, 1, Keep::Within(window.clone())).await;
    keep(&rig, 2, Keep::Within(window)).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Partial, "{}", rig.picture());
    let found = lanes(&rig, &operation.id);
    let mut states: Vec<_> = found.iter().map(|lane| lane.1).collect();
    states.sort_by_key(|state| *state == LaneState::Skipped);
    assert_eq!(states, [LaneState::Done, LaneState::Skipped], "what had begun came to its end: {found:?}");
}
