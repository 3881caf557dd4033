//! What may be retried, and what of it is done again.

use super::*;
use gf_model::{
    Timestamp,
    operation::{LaneId, StageHead},
    verb::Verb,
};

/// An operation that deletes something of the pair, in the order of the trail, begun at that second.
fn deletes(fleet: &mut Fleet, seq: u64, began: i64) -> Operation {
    let id: OperationId = format!("op-{seq}").parse().unwrap();
    let steps = vec![Step::DeleteInstance { instance: "i-0002".parse().unwrap() }];
    let lane = LaneId { operation: id.clone(), stage: 0, index: 0 };
    fleet.apply(LaneRecord { id: lane, lane: Lane::new("acct-0001", steps) }.into());
    let operation = Operation {
        id,
        verb: Verb::RebuildStandby { account: "acct-0001".parse().unwrap() },
        state: OperationState::Failed,
        principal: Principal::Service("test".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![StageHead {
            title: String::new(),
            parallel: 1,
            fail_above_percent: 100,
            lanes: 1,
            passed_at: None,
        }],
        conversation: None,
        audit_seq: Some(seq),
        trace: None,
        created_at: Timestamp::from_second(began).unwrap(),
        finished_at: None,
        error: None,
    };
    fleet.apply(operation.clone().into());
    operation
}

#[test]
fn a_clock_that_was_ahead_does_not_hide_who_has_changed_the_pair_since() {
    let mut fleet = Fleet::default();
    let first = deletes(&mut fleet, 1, 3_600);
    let second = deletes(&mut fleet, 2, 10);
    let by = |operation: &Operation| {
        let record = fleet.lanes_of(&operation.id).next().unwrap();
        moved_on(&fleet, operation, record)
    };
    assert_eq!(by(&first), Some(second.id.clone()));
    assert_eq!(by(&second), None);
}

#[test]
fn a_fence_is_looked_at_again_and_what_else_is_done_stays_done() {
    let instance: InstanceId = "i-0001".parse().unwrap();
    let steps =
        vec![Step::Fence { instance: instance.clone() }, Step::AwaitActive { instance: instance.clone() }];
    let mut lane = Lane::new("acct-0001", steps);
    lane.steps.iter_mut().for_each(|step| step.state = StepState::Done);
    assert_eq!(lane.steps.iter().map(is_done_again).collect::<Vec<_>>(), [true, false]);
    lane.steps[1].state = StepState::Failed;
    assert!(is_done_again(&lane.steps[1]));
}

#[test]
fn what_is_done_is_not_done_again_but_for_nodes_that_may_have_gone_back_and_who_may_serve_again() {
    let done = |step: Step| {
        let mut lane = Lane::new("acct-0001", vec![step]);
        lane.steps[0].state = StepState::Done;
        is_done_again(&lane.steps[0])
    };
    let instance = || "i-1".parse().unwrap();
    assert!(done(Step::Fence { instance: instance() }));
    let node = "node-1".parse().unwrap();
    assert!(done(Step::UpdateNode { node, version: "2.0.0".into(), instances: vec![] }));
    assert!(!done(Step::DeleteInstance { instance: instance() }));
}
