//! Which accounts, instances and other targets an operation keeps for itself, so that nobody else changes them.
//!
//! A lane that ended may still be put back with its batch, and an operation whose lanes have all ended is not over
//! before its end is written.

use crate::gate::pace;
use gf_model::{
    fleet::Fleet,
    operation::{LaneState, Operation, OperationState},
    verb::Verb,
};
use std::collections::{BTreeMap, HashSet};

/// Held by whatever updates nodes: of two such operations each could take a machine of the same pair at one moment.
const NODES: &str = "the fleet's nodes";

/// What such an operation needs for itself besides the targets of its lanes.
pub(crate) fn besides_lanes(verb: &Verb) -> Option<&'static str> {
    matches!(verb, Verb::UpdateNodes { .. }).then_some(NODES)
}

/// The targets that one operation holds now.
pub fn held_by<'a>(fleet: &'a Fleet, operation: &'a Operation) -> Vec<&'a str> {
    if operation.state.is_over() {
        return Vec::new();
    }
    let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
    let under_way: HashSet<u32> =
        lanes.iter().filter(|lane| !lane.lane.state.is_over()).map(|lane| lane.id.stage).collect();
    let is_ending = under_way.is_empty();
    let is_going_back = operation.state == OperationState::Undoing;
    let may_be_put_back = |stage: u32| {
        let Some(head) = operation.stages.get(stage as usize) else { return false };
        // What is looked at before its gate opens may be put back by it.
        let watched = head.passed_at.is_none() && pace(operation).is_some_and(|pace| pace.settle_seconds > 0);
        watched || head.fail_above_percent < 100 && under_way.contains(&stage)
    };
    lanes
        .into_iter()
        .filter(|lane| {
            let done = lane.lane.state == LaneState::Done;
            !lane.lane.state.is_over()
                || is_ending
                || (done && (is_going_back || may_be_put_back(lane.id.stage)))
        })
        .map(|lane| lane.lane.target.as_str())
        .chain(besides_lanes(&operation.verb))
        .collect()
}

/// Everything that is held, and by which operation.
pub fn held(fleet: &Fleet) -> BTreeMap<&str, &Operation> {
    let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
    open.flat_map(|operation| held_by(fleet, operation).into_iter().map(move |target| (target, operation)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{
        Timestamp,
        operation::{Lane, LaneId, LaneRecord, StageHead},
        person::Principal,
        verb::Verb,
    };

    fn fleet(state: OperationState, gate: u8, lanes: &[(u32, LaneState)]) -> Fleet {
        let mut fleet = Fleet::default();
        let head = StageHead {
            title: "batch".into(),
            parallel: 5,
            fail_above_percent: gate,
            lanes: 2,
            passed_at: None,
        };
        let operation = Operation {
            id: "op-1".parse().unwrap(),
            verb: Verb::Restart { instances: vec![], reason: String::new(), concurrency: 1 },
            state,
            principal: Principal::Service("test".into()),
            approval: None,
            plan_hash: String::new(),
            stages: vec![head.clone(), head],
            conversation: None,
            audit_seq: None,
            trace: None,
            created_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
            error: None,
        };
        for (index, (stage, state)) in lanes.iter().enumerate() {
            let id = LaneId { operation: operation.id.clone(), stage: *stage, index: index as u32 };
            let lane = Lane { state: *state, ..Lane::new(format!("acct-{index}"), vec![]) };
            fleet.apply(LaneRecord { id, lane }.into());
        }
        fleet.apply(operation.into());
        fleet
    }

    fn targets(fleet: &Fleet) -> Vec<&str> {
        let mut targets: Vec<_> = held(fleet).into_keys().collect();
        targets.sort_unstable();
        targets
    }

    use LaneState::{Done, Failed, Running, Waiting};

    #[test]
    fn a_finished_lane_is_held_while_its_batch_may_still_be_put_back() {
        let lanes = [(0, Done), (0, Running), (1, Waiting)];
        assert_eq!(targets(&fleet(OperationState::Running, 10, &lanes)), ["acct-0", "acct-1", "acct-2"]);
        assert_eq!(targets(&fleet(OperationState::Running, 100, &lanes)), ["acct-1", "acct-2"]);
        let next = [(0, Done), (0, Done), (1, Running)];
        assert_eq!(targets(&fleet(OperationState::Running, 10, &next)), ["acct-2"]);
        assert_eq!(targets(&fleet(OperationState::Undoing, 10, &next)), ["acct-0", "acct-1", "acct-2"]);
    }

    #[test]
    fn an_operation_that_is_about_to_end_holds_until_its_end_is_written() {
        let lanes = [(0, Failed)];
        assert_eq!(targets(&fleet(OperationState::Running, 100, &lanes)), ["acct-0"]);
        assert!(targets(&fleet(OperationState::Failed, 100, &lanes)).is_empty());
    }
}
