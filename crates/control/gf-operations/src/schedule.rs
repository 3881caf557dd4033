//! What an operation does next: a pure decision over its record and its lanes.
//!
//! It never starts anything; the runner does, and asks again whenever something changed.

use crate::gate::{self, Gate};
use gf_model::{
    fleet::Fleet,
    operation::{
        Lane, LaneId, LaneRecord, LaneState, Operation, OperationState, Step, StepRecord, StepState,
    },
    verb::Verb,
};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These lanes should run now: some for the first time, some again after a crash or a pause.
    Run(Vec<LaneId>),
    /// These lanes were finished and are put back, because their stage failed.
    Undo(Vec<LaneId>),
    /// These lanes were finished and are put back, each for what was seen of it.
    GiveUp(Vec<(LaneId, String)>),
    /// These lanes will never run.
    Skip(Vec<LaneId>),
    /// The gate of this stage holds.
    Pass(usize),
    /// Nothing until something changes.
    Wait,
    /// Nothing for so long, unless something changes: a batch settles.
    Settle(Duration),
    End(OperationState, Option<String>),
}

/// `lanes` in the order of their ids. `settled` is how long a batch has been settling.
pub fn next(fleet: &Fleet, operation: &Operation, lanes: &[&LaneRecord], settled: Duration) -> Next {
    match operation.state {
        OperationState::Running => running(fleet, operation, lanes, settled),
        OperationState::Cancelling => cancelling(lanes),
        OperationState::Undoing => undoing(operation, lanes),
        OperationState::Paused => paused(lanes),
        over => Next::End(over, operation.error.clone()),
    }
}

/// Whether a lane may take another step forward.
pub(crate) fn goes_forward(state: OperationState, lane: &Lane) -> bool {
    match state {
        OperationState::Running => true,
        OperationState::Paused | OperationState::Cancelling => must_arrive(lane),
        _ => false,
    }
}

/// Some lanes have no way back once this is begun, and given up half-way nobody would hear the user or look after
/// what is left: a pair whose right to act is being moved, whose old primary is fenced; and one that is torn down, whose
/// last instance is being deleted. They go on to their end, whoever pauses or cancels.
fn must_arrive(lane: &Lane) -> bool {
    let begun =
        |step: &&StepRecord| matches!(step.state, StepState::Running | StepState::Failed | StepState::Done);
    let is_teardown = lane.steps.iter().any(|step| matches!(step.step, Step::MarkArchived { .. }));
    let last_deleted = lane.steps.iter().rfind(|step| matches!(step.step, Step::DeleteInstance { .. }));
    let moves = lane.steps.iter().filter(|step| matches!(step.step, Step::RaiseGeneration { .. }));
    lane.state == LaneState::Running
        && moves.chain(last_deleted.filter(|_| is_teardown)).any(|step| begun(&step))
}

fn running(fleet: &Fleet, operation: &Operation, lanes: &[&LaneRecord], settled: Duration) -> Next {
    let pace = gate::pace(operation);
    for (index, head) in operation.stages.iter().enumerate() {
        let stage = of_stage(lanes, index);
        if stage.iter().any(|lane| !lane.lane.state.is_over()) {
            let under_way = ids(stage, |state| matches!(state, LaneState::Running | LaneState::Undoing));
            let room = (head.parallel.max(1) as usize).saturating_sub(under_way.len());
            let waiting = ids(stage, |state| state == LaneState::Waiting);
            return Next::Run(under_way.into_iter().chain(waiting.into_iter().take(room)).collect());
        }
        let spent = pace.is_some_and(|pace| {
            head.passed_at.is_none() && budget_is_spent(lanes, index, pace.total_percent)
        });
        if spent || too_many_failed(stage, head.fail_above_percent) {
            let finished = ids(stage, |state| state == LaneState::Done);
            if !finished.is_empty() {
                return Next::Undo(finished);
            }
            let later = ids(lanes, |state| state == LaneState::Waiting);
            if !later.is_empty() {
                return Next::Skip(later);
            }
            let why = match (spent, pace) {
                (true, Some(pace)) => {
                    format!("more than {} % of all targets failed by {}", pace.total_percent, head.title)
                }
                _ => format!("more than {} % of {} failed", head.fail_above_percent, head.title),
            };
            let why = first_error(stage).map_or(why.clone(), |first| format!("{why}; {first}"));
            return end(lanes, OperationState::Failed, Some(why));
        }
        let Some(pace) = pace.filter(|pace| pace.settle_seconds > 0 && head.passed_at.is_none()) else {
            continue;
        };
        return match gate::judge(fleet, pace, stage, settled) {
            Gate::Passed => Next::Pass(index),
            Gate::Wait(left) => Next::Settle(left),
            Gate::Ill(lanes) => Next::GiveUp(lanes),
        };
    }
    end_of(lanes)
}

/// Of all targets of the operation, and never by a single one.
fn budget_is_spent(lanes: &[&LaneRecord], up_to: usize, percent: u8) -> bool {
    let failed = lanes.iter().filter(|lane| lane.id.stage as usize <= up_to && is_failure(lane.lane.state));
    let failed = failed.count();
    failed > 1 && failed * 100 > lanes.len() * usize::from(percent)
}

/// They stand together, since lanes are in the order of their ids.
fn of_stage<'a, 'l>(lanes: &'a [&'l LaneRecord], index: usize) -> &'a [&'l LaneRecord] {
    let from = lanes.partition_point(|lane| (lane.id.stage as usize) < index);
    let to = lanes.partition_point(|lane| lane.id.stage as usize <= index);
    &lanes[from..to]
}

/// Undone lanes count as failed ones: a stage that was put back stays a failed stage.
fn too_many_failed(stage: &[&LaneRecord], limit_percent: u8) -> bool {
    let failed = stage.iter().filter(|lane| is_failure(lane.lane.state)).count();
    failed > 0 && failed * 100 > stage.len() * usize::from(limit_percent)
}

fn is_failure(state: LaneState) -> bool {
    matches!(state, LaneState::Failed | LaneState::Undone | LaneState::Stuck)
}

/// However it ends, what could not be put back needs a person, and that must not be hidden by how it ends.
fn end(lanes: &[&LaneRecord], state: OperationState, why: Option<String>) -> Next {
    let stuck: Vec<_> = lanes.iter().filter(|lane| lane.lane.state == LaneState::Stuck).copied().collect();
    match stuck.is_empty() {
        true => Next::End(state, why),
        false => Next::End(OperationState::Stuck, first_error(&stuck)),
    }
}

fn end_of(lanes: &[&LaneRecord]) -> Next {
    let done = lanes.iter().filter(|lane| lane.lane.state == LaneState::Done).count();
    match done {
        all if all == lanes.len() => Next::End(OperationState::Done, None),
        0 => end(lanes, OperationState::Failed, first_error(lanes)),
        _ => end(lanes, OperationState::Partial, first_error(lanes)),
    }
}

fn paused(lanes: &[&LaneRecord]) -> Next {
    let arriving = lanes.iter().filter(|record| must_arrive(&record.lane));
    match arriving.map(|record| record.id.clone()).collect::<Vec<_>>() {
        none if none.is_empty() => Next::Wait,
        arriving => Next::Run(arriving),
    }
}

fn cancelling(lanes: &[&LaneRecord]) -> Next {
    let waiting = ids(lanes, |state| state == LaneState::Waiting);
    if !waiting.is_empty() {
        return Next::Skip(waiting);
    }
    let (arriving, others): (Vec<_>, Vec<_>) =
        lanes.iter().copied().partition(|record| must_arrive(&record.lane));
    let under_way = ids(&others, |state| matches!(state, LaneState::Running | LaneState::Undoing));
    if !under_way.is_empty() {
        return Next::Undo(under_way);
    }
    if !arriving.is_empty() {
        return Next::Run(ids(&arriving, |_| true));
    }
    // What came too late to keep anything from being done has cancelled nothing.
    match lanes.iter().all(|record| record.lane.state == LaneState::Done) {
        true => Next::End(OperationState::Done, None),
        false => end(lanes, OperationState::Cancelled, None),
    }
}

fn undoing(operation: &Operation, lanes: &[&LaneRecord]) -> Next {
    let waiting = ids(lanes, |state| state == LaneState::Waiting);
    if !waiting.is_empty() {
        return Next::Skip(waiting);
    }
    let is_left = |state| matches!(state, LaneState::Running | LaneState::Undoing | LaneState::Done);
    let last = lanes.iter().rfind(|record| is_left(record.lane.state)).map(|record| record.id.stage as usize);
    if let Some(last) = last {
        // Nodes go back as they came, ring by ring: all at once would take both machines of a pair at once.
        let ring_by_ring = matches!(operation.verb, Verb::UpdateNodes { .. });
        return Next::Undo(ids(if ring_by_ring { of_stage(lanes, last) } else { lanes }, is_left));
    }
    end(lanes, OperationState::Undone, operation.error.clone())
}

fn ids(lanes: &[&LaneRecord], wanted: impl Fn(LaneState) -> bool) -> Vec<LaneId> {
    lanes.iter().filter(|lane| wanted(lane.lane.state)).map(|lane| lane.id.clone()).collect()
}

fn first_error(lanes: &[&LaneRecord]) -> Option<String> {
    lanes.iter().find_map(|lane| Some(format!("{}: {}", lane.lane.target, lane.lane.error.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{
        OperationId, Timestamp, gateway::Generation, operation::StageHead, person::Principal,
        release::Release, verb::Pace,
    };

    fn operation(stages: &[(u32, u32, u8)]) -> Operation {
        Operation {
            id: "op-1".parse::<OperationId>().unwrap(),
            verb: Verb::Restart { instances: vec![], reason: String::new(), concurrency: 1 },
            state: OperationState::Running,
            principal: Principal::Service("test".into()),
            approval: None,
            plan_hash: String::new(),
            stages: stages
                .iter()
                .map(|&(lanes, parallel, fail_above_percent)| StageHead {
                    title: "batch".into(),
                    parallel,
                    fail_above_percent,
                    lanes,
                    passed_at: None,
                })
                .collect(),
            conversation: None,
            audit_seq: None,
            trace: None,
            created_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
            error: None,
        }
    }

    fn lanes(states: &[(u32, LaneState)]) -> Vec<LaneRecord> {
        let record = |(index, &(stage, state)): (usize, &(u32, LaneState))| {
            let id = LaneId { operation: "op-1".parse().unwrap(), stage, index: index as u32 };
            LaneRecord { id, lane: Lane { state, ..Lane::new("acct-1", vec![]) } }
        };
        states.iter().enumerate().map(record).collect()
    }

    fn ask(operation: &Operation, lanes: &[LaneRecord]) -> Next {
        next(&Fleet::default(), operation, &lanes.iter().collect::<Vec<_>>(), Duration::ZERO)
    }

    #[test]
    fn a_stage_runs_no_more_lanes_than_it_may_and_takes_up_what_was_running() {
        use LaneState::{Done, Running, Waiting};
        let all = lanes(&[(0, Done), (0, Running), (0, Waiting), (0, Waiting), (1, Waiting)]);
        let Next::Run(ids) = ask(&operation(&[(4, 2, 10), (1, 2, 10)]), &all) else { panic!("not running") };
        assert_eq!(ids.iter().map(|id| id.index).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn one_of_ten_goes_on_and_two_of_ten_put_their_batch_back() {
        use LaneState::{Done, Undone, Waiting};
        let with = |failed: usize| {
            let mut states = vec![(0, Done); 10 - failed];
            states.extend(vec![(0, Undone); failed]);
            states.push((1, Waiting));
            lanes(&states)
        };
        let two_batches = operation(&[(10, 5, 10), (1, 5, 10)]);
        assert!(matches!(ask(&two_batches, &with(1)), Next::Run(ids) if ids[0].stage == 1));
        assert!(matches!(ask(&two_batches, &with(2)), Next::Undo(ids) if ids.len() == 8));
    }

    #[test]
    fn a_failed_batch_skips_the_rest_and_ends_failed() {
        use LaneState::{Skipped, Undone, Waiting};
        let stages = operation(&[(2, 5, 10), (1, 5, 10)]);
        let first = ask(&stages, &lanes(&[(0, Undone), (0, Undone), (1, Waiting)]));
        assert!(matches!(first, Next::Skip(ids) if ids.len() == 1));
        let end = ask(&stages, &lanes(&[(0, Undone), (0, Undone), (1, Skipped)]));
        assert!(matches!(end, Next::End(OperationState::Failed, Some(_))));
    }

    #[test]
    fn cancelling_skips_what_waits_and_puts_back_what_runs_but_not_what_is_done() {
        use LaneState::{Done, Running, Skipped, Undone, Waiting};
        let mut cancelled = operation(&[(3, 5, 100)]);
        cancelled.state = OperationState::Cancelling;
        let look = |states: &[(u32, LaneState)]| ask(&cancelled, &lanes(states));
        assert!(matches!(look(&[(0, Done), (0, Running), (0, Waiting)]), Next::Skip(_)));
        assert!(matches!(look(&[(0, Done), (0, Running), (0, Skipped)]), Next::Undo(ids) if ids.len() == 1));
        let end = look(&[(0, Done), (0, Undone), (0, Skipped)]);
        assert_eq!(end, Next::End(OperationState::Cancelled, None));
    }

    #[test]
    fn nodes_go_back_ring_by_ring_the_last_ring_first_and_others_all_at_once() {
        use LaneState::{Done, Running, Skipped, Undone};
        let mut goes_back = operation(&[(1, 5, 0), (2, 5, 0), (1, 5, 0)]);
        goes_back.state = OperationState::Undoing;
        let undone = |operation: &Operation, states: &[(u32, LaneState)]| match ask(operation, &lanes(states))
        {
            Next::Undo(ids) => ids.into_iter().map(|id| id.index).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let begun = [(0, Done), (1, Done), (1, Running), (2, Skipped)];
        assert_eq!(undone(&goes_back, &begun), [0, 1, 2]);
        goes_back.verb = Verb::UpdateNodes {
            nodes: vec![],
            release: Release {
                version: "2.0.0".into(),
                sha256: String::new(),
                size: 1,
                signature: String::new(),
            },
            ring_size: 1,
            pace: Pace::default(),
        };
        assert_eq!(undone(&goes_back, &begun), [1, 2]);
        assert_eq!(undone(&goes_back, &[(0, Done), (1, Undone), (1, Undone), (2, Skipped)]), [0]);
    }

    #[test]
    fn a_cancelled_move_goes_on_to_its_end_once_the_right_to_act_is_being_moved() {
        let mut cancelled = operation(&[(1, 1, 100)]);
        cancelled.state = OperationState::Cancelling;
        let moving = |raised: StepState, lane: LaneState| {
            let mut all = lanes(&[(0, lane)]);
            let raise =
                Step::RaiseGeneration { account: "acct-0001".parse().unwrap(), expected: Generation(1) };
            all[0].lane = Lane { state: lane, ..Lane::new("acct-0001", vec![raise]) };
            all[0].lane.steps[0].state = raised;
            all
        };
        for begun in [StepState::Running, StepState::Failed, StepState::Done] {
            let all = moving(begun, LaneState::Running);
            assert!(matches!(ask(&cancelled, &all), Next::Run(ids) if ids.len() == 1), "{begun:?}");
            assert!(goes_forward(OperationState::Cancelling, &all[0].lane), "{begun:?}");
        }
        let before = moving(StepState::Waiting, LaneState::Running);
        assert!(matches!(ask(&cancelled, &before), Next::Undo(_)));
        assert!(!goes_forward(OperationState::Cancelling, &before[0].lane));
        let failed = ask(&cancelled, &moving(StepState::Done, LaneState::Failed));
        assert_eq!(failed, Next::End(OperationState::Cancelled, None));
        let arrived = ask(&cancelled, &moving(StepState::Done, LaneState::Done));
        assert_eq!(arrived, Next::End(OperationState::Done, None));
    }

    #[test]
    fn a_cancelled_teardown_goes_on_to_its_end_once_its_last_instance_is_being_deleted() {
        let mut cancelled = operation(&[(1, 1, 100)]);
        cancelled.state = OperationState::Cancelling;
        let delete = |id: &str| Step::DeleteInstance { instance: id.parse().unwrap() };
        let archived = Step::MarkArchived { account: "acct-0001".parse().unwrap() };
        let look = |steps: Vec<Step>, begun: usize| {
            let mut all = lanes(&[(0, LaneState::Running)]);
            all[0].lane = Lane { state: LaneState::Running, ..Lane::new("acct-0001", steps) };
            all[0].lane.steps[..begun].iter_mut().for_each(|step| step.state = StepState::Done);
            ask(&cancelled, &all)
        };
        let teardown = || vec![delete("i-0002"), delete("i-0001"), archived.clone()];
        assert!(matches!(look(teardown(), 1), Next::Undo(_)), "its primary still serves");
        assert!(matches!(look(teardown(), 2), Next::Run(_)));
        // One that makes way for another is no teardown.
        assert!(matches!(look(vec![delete("i-0002")], 1), Next::Undo(_)));
    }

    #[test]
    fn what_could_not_be_put_back_is_not_hidden_by_a_cancel_or_a_failed_batch() {
        use LaneState::{Done, Skipped, Stuck, Undone};
        let mut cancelled = operation(&[(2, 5, 100)]);
        cancelled.state = OperationState::Cancelling;
        let end = ask(&cancelled, &lanes(&[(0, Done), (0, Stuck)]));
        assert!(matches!(end, Next::End(OperationState::Stuck, _)));
        let failed =
            ask(&operation(&[(2, 5, 10), (1, 5, 10)]), &lanes(&[(0, Undone), (0, Stuck), (1, Skipped)]));
        assert!(matches!(failed, Next::End(OperationState::Stuck, _)));
    }

    #[test]
    fn a_paused_operation_starts_nothing() {
        let mut paused = operation(&[(1, 1, 100)]);
        paused.state = OperationState::Paused;
        assert_eq!(ask(&paused, &lanes(&[(0, LaneState::Waiting)])), Next::Wait);
    }
}
