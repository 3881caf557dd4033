//! What one trace id led to, in the order in which it happened: the question, the audit rows, the operations, and each
//! step with the provider and the machine that it was done at.

use crate::tools::audit::{actor, note, outcome};
use gf_model::{
    Timestamp,
    approval::Approval,
    audit::AuditRow,
    fleet::Fleet,
    operation::{LaneRecord, Operation, StepRecord, StepState},
};
use gf_tools::trace::TraceLine;
use serde::Serialize;

/// Those of one moment in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Question,
    Audit,
    Operation,
    Step,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Audit => "audit",
            Self::Operation => "operation",
            Self::Step => "step",
        }
    }
}

type Placed = (Timestamp, Kind, TraceLine);

/// All lines, the oldest first.
pub fn lines(fleet: &Fleet, trace: &str, rows: &[AuditRow]) -> Vec<TraceLine> {
    let is_of_it = |found: &Option<String>| found.as_deref() == Some(trace);
    let mut placed: Vec<Placed> = rows.iter().map(of_row).collect();
    placed.extend(fleet.approvals.values().filter(|approval| is_of_it(&approval.trace)).map(of_question));
    for operation in fleet.operations.values().filter(|operation| is_of_it(&operation.trace)) {
        placed.push(of_operation(operation));
        for lane in fleet.lanes_of(&operation.id) {
            placed.extend(lane.lane.steps.iter().filter_map(|step| of_step(fleet, lane, step)));
        }
    }
    placed.sort_by_key(|(at, kind, _)| (*at, *kind));
    placed.into_iter().map(|(_, _, line)| line).collect()
}

fn line(at: Timestamp, kind: Kind, line: TraceLine) -> Placed {
    let time = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    (at, kind, TraceLine { at: time, kind: kind.name().to_owned(), ..line })
}

/// As it stands in the store.
fn word(state: &impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|state| state.as_str().map(str::to_owned)).unwrap_or_default()
}

fn of_row(row: &AuditRow) -> Placed {
    let entry = &row.entry;
    let found = TraceLine {
        what: entry.action.clone(),
        about: format!("{} by {}", entry.targets.join(", "), actor(&entry.principal)),
        state: outcome(entry.phase).to_owned(),
        operation_id: entry.operation.as_ref().map(ToString::to_string),
        note: note(&entry.detail),
        ..TraceLine::default()
    };
    line(entry.at, Kind::Audit, found)
}

fn of_question(approval: &Approval) -> Placed {
    let found = TraceLine {
        what: format!("{} ({})", approval.envelope.verb, approval.code),
        about: actor(&approval.requested_by),
        state: word(&approval.state),
        operation_id: approval.operation.as_ref().map(ToString::to_string),
        note: approval.conversation.clone(),
        ..TraceLine::default()
    };
    line(approval.created_at, Kind::Question, found)
}

fn of_operation(operation: &Operation) -> Placed {
    let found = TraceLine {
        what: operation.verb.name().to_owned(),
        about: actor(&operation.principal),
        state: word(&operation.state),
        operation_id: Some(operation.id.to_string()),
        seconds: seconds(Some(operation.created_at), operation.finished_at),
        note: operation.error.clone().or_else(|| operation.conversation.clone()),
        ..TraceLine::default()
    };
    line(operation.created_at, Kind::Operation, found)
}

/// A step that has begun.
fn of_step(fleet: &Fleet, lane: &LaneRecord, step: &StepRecord) -> Option<Placed> {
    let began = step.started_at.filter(|_| step.state != StepState::Waiting)?;
    let instance = step.step.instance().and_then(|id| fleet.instances.get(id));
    let found = TraceLine {
        what: step.step.name().to_owned(),
        about: step.step.instance().map_or_else(|| lane.lane.target.clone(), ToString::to_string),
        state: word(&step.state),
        operation_id: Some(lane.id.operation.to_string()),
        provider: instance.map(|instance| instance.provider.to_string()),
        node: instance.and_then(|instance| instance.node.as_ref()).map(ToString::to_string),
        seconds: seconds(Some(began), step.finished_at),
        attempts: Some(step.attempts).filter(|attempts| *attempts > 1),
        note: step.error.clone(),
        ..TraceLine::default()
    };
    Some(line(began, Kind::Step, found))
}

fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.duration_since(from?).as_millis().max(0) as f64 / 1000.0)
}
