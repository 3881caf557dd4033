//! What is seen of a batch, and what its gate says to it.

use super::*;
use gf_model::{
    NodeId, RevisionId, Tier,
    gateway::Generation,
    health::{Health, Observation},
    instance::Role,
    node::Node,
    operation::{Lane, StepState},
};
use serde_json::json;

const SETTLE: Duration = Duration::from_secs(Pace::SETTLE_SECONDS as u64);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn instance(state: InstanceState) -> Instance {
    Instance {
        state,
        node: Some("n-1".parse::<NodeId>().unwrap()),
        generation: Generation(1),
        channels_on: true,
        health: Some(Health::of(Observation { http_ok: true, ..Observation::default() }, at(0))),
        ..Instance::new(
            "i-0001".parse().unwrap(),
            "acct-0001".parse().unwrap(),
            Role::Primary,
            Tier::Standard,
            "hetzner".into(),
            "nbg1".into(),
            at(0),
        )
    }
}

fn lane(score_before: u64) -> LaneRecord {
    let step = Step::ApplyRevision { instance: "i-0001".parse().unwrap(), revision: RevisionId(1) };
    let mut lane = Lane { state: LaneState::Done, ..Lane::new("acct-0001", vec![step]) };
    lane.steps[0].state = StepState::Done;
    lane.steps[0].started_at = Some(at(100));
    lane.steps[0].output = json!({ "scoreBefore": score_before });
    LaneRecord { id: LaneId { operation: "op-1".parse().unwrap(), stage: 0, index: 0 }, lane }
}

fn look(instance: Instance, connected: bool, waited: Duration) -> Gate {
    judge(&fleet(instance, connected, None), &Pace::gated(vec![]), &[&lane(100)], waited)
}

fn fleet(instance: Instance, connected: bool, software: Option<&str>) -> Fleet {
    let mut fleet = Fleet::default();
    let node = Node {
        id: "n-1".parse().unwrap(),
        provider: "hetzner".into(),
        region: "nbg1".into(),
        public_key: String::new(),
        enrol_token_sha256: None,
        enrolled_at: None,
        connected,
        last_change: at(0),
        software: software.map(str::to_owned),
    };
    fleet.apply(node.into());
    fleet.apply(instance.into());
    fleet
}

fn is_ill(gate: &Gate) -> bool {
    matches!(gate, Gate::Ill(ill) if ill.len() == 1 && ill[0].1.contains("i-0001"))
}

#[test]
fn nothing_is_said_before_it_has_settled_and_what_serves_passes_then() {
    let fine = || instance(InstanceState::Active);
    assert_eq!(look(fine(), true, SETTLE - Duration::from_secs(1)), Gate::Wait(Duration::from_secs(1)));
    assert_eq!(look(fine(), true, SETTLE), Gate::Passed);
}

#[test]
fn what_does_not_serve_is_ill_and_what_sleeps_or_is_gone_is_not() {
    use InstanceState::{Degraded, Deleted, Failed, Parked, Stopped};
    for state in [Degraded, Failed, Stopped] {
        assert!(is_ill(&look(instance(state), true, SETTLE)), "{state}");
    }
    for state in [Parked, Deleted] {
        assert_eq!(look(instance(state), true, SETTLE), Gate::Passed, "{state}");
    }
}

#[test]
fn what_is_not_heard_of_is_waited_for_and_not_for_ever() {
    for (seen, connected) in [(InstanceState::Active, false), (InstanceState::Bootstrapping, true)] {
        assert_eq!(look(instance(seen), connected, SETTLE), Gate::Wait(PATIENCE), "{seen}");
        assert!(is_ill(&look(instance(seen), connected, SETTLE + PATIENCE)), "{seen}");
    }
}

#[test]
fn a_score_that_fell_is_ill_and_one_that_was_low_before_is_not_blamed_on_the_revision() {
    let poor = Observation {
        http_ok: true,
        channel_down: true,
        disk_percent: Some(90.0),
        memory_percent: Some(95.0),
        ..Observation::default()
    };
    let mut weak = instance(InstanceState::Active);
    weak.health = Some(Health::of(poor, at(0)));
    assert_eq!(weak.health.as_ref().unwrap().score, 65);
    assert!(is_ill(&look(weak.clone(), true, SETTLE)));
    let mut fleet = Fleet::default();
    fleet.apply(weak.into());
    assert_eq!(judge(&fleet, &Pace::gated(vec![]), &[&lane(65)], SETTLE), Gate::Passed);
}

#[test]
fn what_ends_again_and_again_is_ill_though_it_answers_in_between() {
    let mut restless = instance(InstanceState::Active);
    restless.restarts = vec![at(50), at(101)];
    assert_eq!(look(restless.clone(), true, SETTLE), Gate::Passed, "one of them was before");
    restless.restarts.push(at(102));
    assert!(is_ill(&look(restless, true, SETTLE)));
}

/// A node that has become 0.2.0, with what was well on it before.
fn update(well: &[&str]) -> LaneRecord {
    let mut record = lane(100);
    let instances = vec!["i-0001".parse().unwrap()];
    record.lane.steps[0].step =
        Step::UpdateNode { node: "n-1".parse().unwrap(), version: "0.2.0".into(), instances };
    record.lane.steps[0].output = json!({ "before": "0.1.0", "well": well });
    record
}

#[test]
fn a_node_must_be_back_on_its_version_with_what_was_well_on_it() {
    let look = |state, connected, software, well: &[&str], waited| {
        let fleet = fleet(instance(state), connected, Some(software));
        judge(&fleet, &Pace::gated(vec![]), &[&update(well)], waited)
    };
    use InstanceState::{Active, Failed};
    let overdue = SETTLE + PATIENCE;
    assert_eq!(look(Active, true, "0.2.0", &["i-0001"], SETTLE), Gate::Passed);
    assert!(is_ill(&look(Failed, true, "0.2.0", &["i-0001"], SETTLE)));
    // What had failed before is not the new program's doing.
    assert_eq!(look(Failed, true, "0.2.0", &[], SETTLE), Gate::Passed);
    for (connected, software) in [(false, "0.2.0"), (true, "0.1.0")] {
        assert_eq!(look(Active, connected, software, &[], SETTLE), Gate::Wait(PATIENCE));
        let Gate::Ill(ill) = look(Active, connected, software, &[], overdue) else { panic!("it passed") };
        assert!(ill[0].1.contains("n-1"), "{ill:?}");
    }
}
