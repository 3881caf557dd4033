//! The promises as pure questions about what is durable.

use crate::oracle::Books;
use gf_model::{
    InstanceId,
    approval::ApprovalState,
    fleet::{Change, Fleet, Record},
    notice::Severity,
    operation::{LaneRecord, LaneState, Operation, OperationState, Step, StepRecord, StepState},
    person::Principal,
    provider::ProviderId,
    verb::Verb,
};
use gf_operations::FENCED_BY_LEASE;
use gf_policy::leases;
use gf_store::Batch;
use std::collections::{BTreeMap, VecDeque};

const MINUTE_MS: u64 = 60_000;
/// Restarts of one instance by the control plane itself within ten minutes: three, and the one that escalates.
const RESTARTS: usize = 4;
/// Failovers of one pair, and standbys built for it, within an hour.
const MOVES: usize = 14;
/// Calls of providers within a minute, per account and on top.
const CALLS_PER_ACCOUNT: usize = 24;
const CALLS: usize = 24;

/// Whether a row that begins such an act announces a deletion at a provider.
pub(crate) fn says_that_it_deletes(action: &str) -> bool {
    matches!(action, "step.delete_instance" | "undo.create_instance" | "place.reap")
}

pub(crate) fn is_named_by_open_work(books: &Books, label: &str) -> bool {
    let Ok(id) = label.parse::<InstanceId>() else { return false };
    let open = |operation| {
        books.fleet.operations.get(operation).is_some_and(|known: &Operation| !known.state.is_over())
    };
    books.named.get(&id).is_some_and(|by| by.iter().any(open))
}

/// Why a step that fenced an instance did so too early: it acts still, or could.
pub(crate) fn fenced_too_early(books: &Books, lane: &LaneRecord) -> Option<String> {
    let known = books.fleet.lanes.get(&lane.id);
    lane.lane.steps.iter().enumerate().find_map(|(nth, step)| {
        let Step::Fence { instance } = &step.step else { return None };
        let was_done = known.is_some_and(|known| known.lane.steps.get(nth).is_some_and(is_done));
        if !is_done(step) || was_done {
            return None;
        }
        let fenced = books.fleet.instances.get(instance)?;
        if books.acting.get(fenced.account.as_str()).is_some_and(|acting| acting.contains(instance.as_str()))
        {
            return Some(format!("{instance} counts as fenced and acts: {}", step.output));
        }
        let by_lease = step.output["how"] == FENCED_BY_LEASE;
        let why = leases::lapses(&books.fleet, fenced).err().filter(|_| by_lease)?;
        Some(format!("the lease of {instance} counts as over, and {why}"))
    })
}

fn is_done(step: &StepRecord) -> bool {
    step.state == StepState::Done
}

fn needs_a_person(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Provision { .. }
            | Verb::Teardown { .. }
            | Verb::Restore { .. }
            | Verb::Resize { .. }
            | Verb::ConfigPush { .. }
            | Verb::ProviderPolicy { .. }
            | Verb::UpdateNodes { .. }
    )
}

/// Why an operation that begins is not covered by what a person agreed to.
pub(crate) fn outside_its_envelope(fleet: &Fleet, operation: &Operation) -> Option<String> {
    let Some(code) = &operation.approval else {
        let alone = matches!(operation.principal, Principal::Person(_)) || !needs_a_person(&operation.verb);
        return (!alone)
            .then(|| format!("{} of {} began without a person's yes", operation.id, operation.principal));
    };
    let Some(approval) = fleet.approvals.get(code) else {
        return Some(format!("{} began on {code}, which nobody knows", operation.id));
    };
    if approval.state != ApprovalState::Granted {
        return Some(format!("{} began on {code}, which is {:?}", operation.id, approval.state));
    }
    let envelope = &approval.envelope;
    if envelope.verb != operation.verb.name() {
        return Some(format!(
            "{} is {} and {code} covers {}",
            operation.id,
            operation.verb.name(),
            envelope.verb
        ));
    }
    let also = fleet
        .operations
        .values()
        .find(|other| other.approval.as_ref() == Some(code) && other.id != operation.id);
    if let Some(also) = also {
        return Some(format!("{code} began both {} and {}", also.id, operation.id));
    }
    let outside = |record: &&LaneRecord| {
        record.lane.steps.iter().filter_map(|step| step.step.instance()).any(|instance| {
            let owner = fleet.instances.get(instance).map(|known| &known.account);
            owner.is_some_and(|owner| !envelope.accounts.contains(owner))
        })
    };
    let stray = fleet.lanes_of(&operation.id).find(outside);
    stray.map(|stray| {
        format!("{} also changes {}, which {code} does not cover", operation.id, stray.lane.target)
    })
}

/// Whether the commit that ends a stuck operation pages somebody.
pub(crate) fn pages(batch: &Batch, operation: &Operation) -> bool {
    let beginning = format!("ended:{}:", operation.id);
    batch.changes.iter().any(|change| {
        matches!(change, Change::Put(Record::Notice(notice))
            if notice.severity == Severity::Critical && notice.key.starts_with(&beginning))
    })
}

/// Why a rollout that failed left something behind on its revision.
pub(crate) fn left_on_a_failed_revision(fleet: &Fleet, operation: &Operation) -> Option<String> {
    let Verb::ConfigPush { revision, .. } = &operation.verb else { return None };
    if !matches!(operation.state, OperationState::Failed | OperationState::Undone) {
        return None;
    }
    let put_back = fleet.lanes_of(&operation.id).filter(|record| record.lane.state == LaneState::Undone);
    let mut touched = put_back.flat_map(|record| &record.lane.steps).filter_map(|step| step.step.instance());
    let left = touched.find(|id| {
        fleet
            .instances
            .get(*id)
            .is_some_and(|known| known.state.exists() && known.revision == Some(*revision))
    });
    left.map(|left| format!("{} ended {:?} and left {left} on {revision}", operation.id, operation.state))
}

/// Why a lane should not have begun: a batch before it failed.
pub(crate) fn went_past_a_failed_batch(fleet: &Fleet, record: &LaneRecord) -> Option<String> {
    let operation = fleet.operations.get(&record.id.operation)?;
    let (Verb::ConfigPush { pace, .. } | Verb::UpdateNodes { pace, .. }) = &operation.verb else {
        return None;
    };
    if record.lane.state != LaneState::Running {
        return None;
    }
    let gated = pace.settle_seconds > 0;
    for (index, head) in operation.stages.iter().enumerate().take(record.id.stage as usize) {
        if gated && head.passed_at.is_none() {
            let next = record.id.stage;
            return Some(format!("{} went on to batch {next} before batch {index} was well", operation.id));
        }
        let stage: Vec<_> =
            fleet.lanes_of(&operation.id).filter(|lane| lane.id.stage as usize == index).collect();
        let failed = stage.iter().filter(|lane| {
            matches!(lane.lane.state, LaneState::Failed | LaneState::Undone | LaneState::Stuck)
        });
        if failed.count() * 100 > stage.len() * usize::from(head.fail_above_percent) {
            return Some(format!(
                "{} went on to batch {} though batch {index} failed",
                operation.id, record.id.stage
            ));
        }
    }
    None
}

/// What was spent lately, against the budgets.
#[derive(Default)]
pub(crate) struct Spent {
    restarts: BTreeMap<String, VecDeque<u64>>,
    moves: BTreeMap<String, VecDeque<u64>>,
    calls: VecDeque<u64>,
    /// The most that any window ever held.
    pub most_calls: usize,
}

fn within(times: &mut VecDeque<u64>, now: u64, window: u64) -> usize {
    times.push_back(now);
    while times.front().is_some_and(|at| now.saturating_sub(*at) >= window) {
        times.pop_front();
    }
    times.len()
}

impl Spent {
    /// What the control plane began by itself, and why that was once too often.
    pub(crate) fn began(&mut self, operation: &Operation, now: u64) -> Option<String> {
        if !matches!(operation.principal, Principal::Service(_)) {
            return None;
        }
        match &operation.verb {
            Verb::Restart { instances, .. } => instances.iter().find_map(|instance| {
                let times = self.restarts.entry(instance.to_string()).or_default();
                let count = within(times, now, 10 * MINUTE_MS);
                (count > RESTARTS).then(|| format!("{instance} was restarted {count} times in ten minutes"))
            }),
            Verb::Failover { account, .. } | Verb::RebuildStandby { account } => {
                let what = operation.verb.name();
                let times = self.moves.entry(format!("{what} {account}")).or_default();
                let count = within(times, now, 60 * MINUTE_MS);
                (count > MOVES).then(|| format!("{what} of {account} began {count} times within an hour"))
            }
            _ => None,
        }
    }

    pub(crate) fn called(&mut self, provider: &ProviderId, accounts: usize, now: u64) -> Option<String> {
        let count = within(&mut self.calls, now, MINUTE_MS);
        self.most_calls = self.most_calls.max(count);
        let allowed = CALLS + CALLS_PER_ACCOUNT * accounts;
        (count > allowed)
            .then(|| format!("{count} calls within a minute, the last of {provider}; {allowed} are allowed"))
    }
}
