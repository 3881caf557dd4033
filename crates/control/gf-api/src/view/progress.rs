//! How far an operation is: what became of each target, counted from its lanes and from the instances themselves.

use super::{progress_words, words};
use gf_model::{
    AccountId, Cents, InstanceId, Timestamp,
    fleet::Fleet,
    notice::Notice,
    operation::{Lane, LaneRecord, LaneState, Operation, OperationState, Step, StepState},
    verb::Verb,
};
use gf_tools::{
    OperationReply,
    common::{Counts, OperationLine, TargetLine},
};
use std::collections::{BTreeMap, BTreeSet};

/// As operators say it.
pub fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::ConfigPush { .. } => "push",
        other => other.name(),
    }
}

pub fn state(state: OperationState) -> &'static str {
    match state {
        OperationState::Running => "RUNNING",
        OperationState::Paused => "PAUSED",
        OperationState::Cancelling => "CANCELLING",
        OperationState::Undoing => "UNDOING",
        OperationState::Done => "DONE",
        OperationState::Partial => "PARTIAL",
        OperationState::Failed => "FAILED",
        OperationState::Undone => "UNDONE",
        OperationState::Cancelled => "CANCELLED",
        OperationState::Stuck => "STUCK",
    }
}

/// What became of one target over all stages that name it.
#[derive(Debug, Default)]
struct Target<'a> {
    lanes: Vec<&'a Lane>,
}

impl Target<'_> {
    fn state(&self) -> &'static str {
        let any = |state: LaneState| self.lanes.iter().any(|lane| lane.state == state);
        if self.lanes.iter().any(|lane| lane.flagged) {
            "flagged"
        } else if any(LaneState::Stuck) {
            "stuck"
        } else if any(LaneState::Failed) {
            "failed"
        } else if any(LaneState::Undoing) {
            "undoing"
        } else if any(LaneState::Undone) {
            "undone"
        } else if any(LaneState::Running) {
            "running"
        } else if self.lanes.iter().all(|lane| lane.state == LaneState::Waiting) {
            "waiting"
        } else if any(LaneState::Waiting) {
            "running"
        } else if any(LaneState::Done) {
            "done"
        } else {
            "skipped"
        }
    }

    fn reason(&self) -> Option<String> {
        self.lanes.iter().find_map(|lane| lane.error.clone())
    }

    fn seconds(&self) -> Option<f64> {
        let steps = || self.lanes.iter().flat_map(|lane| &lane.steps);
        let began = steps().filter_map(|step| step.started_at).min()?;
        let ended = steps().filter_map(|step| step.finished_at).max()?;
        self.lanes.iter().all(|lane| lane.state.is_over()).then(|| words::age(began, ended))
    }
}

fn targets<'a>(lanes: &[&'a LaneRecord]) -> BTreeMap<&'a str, Target<'a>> {
    let mut targets: BTreeMap<&str, Target<'_>> = BTreeMap::new();
    for record in lanes {
        targets.entry(&record.lane.target).or_default().lanes.push(&record.lane);
    }
    targets
}

/// One operation in one line.
pub fn line(fleet: &Fleet, operation: &Operation) -> OperationLine {
    let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
    let targets = targets(&lanes);
    let over = targets.values().filter(|target| target.lanes.iter().all(|lane| lane.state.is_over())).count();
    OperationLine {
        id: operation.id.to_string(),
        verb: verb(&operation.verb).to_owned(),
        state: state(operation.state).to_owned(),
        done: over as u64,
        total: targets.len() as u64,
        started_at: Some(operation.created_at.to_string()),
    }
}

/// All that is known of an operation's progress.
pub fn reply(fleet: &Fleet, operation: &Operation, now: Timestamp) -> OperationReply {
    let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
    let targets = targets(&lanes);
    let mut by_state = Counts::new();
    let mut ended: Vec<TargetLine> = Vec::new();
    let (mut failed, mut skipped, mut flagged) = (Vec::new(), Vec::new(), Vec::new());
    for (id, target) in &targets {
        let state = target.state();
        *by_state.entry(state.to_owned()).or_default() += 1;
        let line = TargetLine {
            id: (*id).to_owned(),
            state: state.to_owned(),
            reason: target.reason(),
            seconds: target.seconds(),
        };
        match state {
            "failed" | "stuck" | "undone" => failed.push(line),
            "skipped" => skipped.push(line),
            "flagged" => flagged.push(line),
            "done" => ended.push(line),
            _ => {}
        }
    }
    let concerned = instances(&lanes);
    let births = births(&lanes);
    if !births.is_empty() {
        ended = births;
    }
    ended.sort_by(|a, b| a.seconds.unwrap_or_default().total_cmp(&b.seconds.unwrap_or_default()));
    ended.retain(|line| line.seconds.is_some());

    let until = operation.finished_at.unwrap_or(now);
    let elapsed = words::age(operation.created_at, until);
    let (batch, batches) = batches(operation, &lanes);
    let failover = failover(fleet, operation);
    let cost = cost(fleet, operation, &concerned);
    let webhooks = webhooks(fleet, operation);
    let mut reply = OperationReply {
        id: operation.id.to_string(),
        verb: verb(&operation.verb).to_owned(),
        state: state(operation.state).to_owned(),
        trace: operation.trace.clone(),
        approval_code: operation.approval.as_ref().map(ToString::to_string),
        started_at: Some(operation.created_at.to_string()),
        ended_at: operation.finished_at.map(|at| at.to_string()),
        elapsed_seconds: Some(elapsed),
        eta_seconds: eta(operation, &lanes, elapsed),
        targets_total: targets.len() as u64,
        targets_by_state: by_state,
        instances_total: concerned.len() as u64,
        instances_by_state: instance_states(fleet, &lanes, &concerned),
        account_ids: accounts(fleet, operation, &concerned).iter().map(ToString::to_string).collect(),
        instance_ids: concerned.iter().map(ToString::to_string).collect(),
        fastest: ended.first().cloned(),
        slowest: (ended.len() > 1).then(|| ended.last().cloned()).flatten(),
        failed,
        skipped,
        flagged,
        batch,
        batches,
        revision: match &operation.verb {
            Verb::ConfigPush { revision, .. } => Some(revision.to_string()),
            _ => None,
        },
        archives: done(&lanes)
            .filter_map(|step| match step {
                Step::TakeArchive { archive, .. } => Some(archive.to_string()),
                _ => None,
            })
            .collect(),
        rpo_seconds: failover.and_then(|(_, rpo)| rpo),
        generation: failover.map(|(generation, _)| generation),
        webhooks_delivered: webhooks.as_ref().map(|(taken, ..)| *taken),
        webhooks_waiting: webhooks.as_ref().map(|(_, waiting, _)| *waiting),
        webhooks_wait_for: webhooks.and_then(|(.., why)| why),
        monthly_cost_cents: cost.map(|cost| cost.0),
        monthly_cost: cost.map(words::per_month),
        error: operation.error.clone(),
        ..OperationReply::default()
    };
    reply.summary = progress_words::summary(&reply, operation);
    reply
}

fn steps<'a>(lanes: &[&'a LaneRecord]) -> impl Iterator<Item = &'a gf_model::operation::StepRecord> {
    lanes.iter().flat_map(|record| record.lane.steps.iter()).collect::<Vec<_>>().into_iter()
}

fn done<'a>(lanes: &[&'a LaneRecord]) -> impl Iterator<Item = &'a Step> {
    steps(lanes).filter(|step| step.state == StepState::Done).map(|step| &step.step)
}

/// Instances that the work is about, each once.
fn instances(lanes: &[&LaneRecord]) -> BTreeSet<InstanceId> {
    steps(lanes).filter_map(|step| step.step.instance()).cloned().collect()
}

/// Their own states now; one that is not there yet waits, one that the work deleted is deleted.
fn instance_states(fleet: &Fleet, lanes: &[&LaneRecord], concerned: &BTreeSet<InstanceId>) -> Counts {
    let deleted: BTreeSet<_> = done(lanes)
        .filter_map(|step| match step {
            Step::DeleteInstance { instance } => Some(instance),
            _ => None,
        })
        .collect();
    let mut states = Counts::new();
    for id in concerned {
        let name = match fleet.instances.get(id) {
            Some(instance) => instance.state.name(),
            None if deleted.contains(id) => "DELETED",
            None => "WAITING",
        };
        *states.entry(name.to_owned()).or_default() += 1;
    }
    states
}

/// How long each new instance took from its order to its first answer.
fn births(lanes: &[&LaneRecord]) -> Vec<TargetLine> {
    let mut began: BTreeMap<&InstanceId, Timestamp> = BTreeMap::new();
    let mut born = Vec::new();
    for record in steps(lanes) {
        match (&record.step, record.started_at, record.finished_at) {
            (Step::CreateInstance { instance, .. }, Some(at), _) => {
                began.insert(instance, at);
            }
            (Step::AwaitActive { instance }, _, Some(at)) if record.state == StepState::Done => {
                born.extend(began.get(instance).map(|start| TargetLine {
                    id: instance.to_string(),
                    state: "done".to_owned(),
                    reason: None,
                    seconds: Some(words::age(*start, at)),
                }));
            }
            _ => {}
        }
    }
    born
}

fn accounts(fleet: &Fleet, operation: &Operation, concerned: &BTreeSet<InstanceId>) -> BTreeSet<AccountId> {
    let named = operation.verb.accounts().iter().cloned();
    let owners =
        concerned.iter().filter_map(|id| fleet.instances.get(id)).map(|instance| instance.account.clone());
    named.chain(owners).collect()
}

/// Where a rollout is: which of its stages runs, from 1.
fn batches(operation: &Operation, lanes: &[&LaneRecord]) -> (Option<u64>, Option<u64>) {
    if !matches!(operation.verb, Verb::ConfigPush { .. } | Verb::Rollback { .. }) {
        return (None, None);
    }
    let stages = operation.stages.len() as u64;
    let open =
        lanes.iter().find(|record| !record.lane.state.is_over()).map(|record| u64::from(record.id.stage) + 1);
    (Some(open.unwrap_or(stages)), Some(stages))
}

fn failover(fleet: &Fleet, operation: &Operation) -> Option<(u64, Option<f64>)> {
    let Verb::Failover { account, .. } = &operation.verb else { return None };
    let last = fleet.gateways.get(account)?.last_failover.as_ref()?;
    (last.at >= operation.created_at)
        .then(|| (last.generation.0, last.rpo_seconds.map(|seconds| seconds as f64)))
}

/// Webhooks of the work: how many COMPANION took, and why the others wait. What was forgotten is unknown.
fn webhooks(fleet: &Fleet, operation: &Operation) -> Option<(u64, u64, Option<String>)> {
    let prefix = Notice::webhook_key(&operation.id);
    let all: Vec<_> = fleet.notices.values().filter(|notice| notice.key.starts_with(&prefix)).collect();
    let (taken, waiting): (Vec<&Notice>, Vec<&Notice>) =
        all.iter().copied().partition(|notice| notice.delivered_at.is_some());
    let why = waiting.iter().find_map(|notice| notice.last_error.clone());
    (!all.is_empty()).then_some((taken.len() as u64, waiting.len() as u64, why))
}

/// What the instances that the work made cost each month.
fn cost(fleet: &Fleet, operation: &Operation, concerned: &BTreeSet<InstanceId>) -> Option<Cents> {
    let makes = matches!(
        operation.verb,
        Verb::Provision { .. } | Verb::Restore { .. } | Verb::RebuildStandby { .. } | Verb::Resize { .. }
    );
    let live = concerned.iter().filter_map(|id| fleet.instances.get(id)).filter(|i| i.state.exists());
    makes.then(|| live.map(|instance| instance.monthly_cost).sum())
}

/// By the pace so far, in steps; unknown before the first is done.
fn eta(operation: &Operation, lanes: &[&LaneRecord], elapsed: f64) -> Option<f64> {
    if operation.state != OperationState::Running {
        return None;
    }
    let all = steps(lanes).count() as f64;
    let ended = steps(lanes).filter(|step| step.finished_at.is_some()).count() as f64;
    (ended > 0.0 && ended < all).then(|| elapsed * (all - ended) / ended)
}
