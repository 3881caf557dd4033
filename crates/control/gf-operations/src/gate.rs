//! Whether a batch of a rollout is well, so that the next one may begin: a pure look at what is observed of the
//! instances that were written to.
//!
//! It never waits by itself and never asks anybody: it says how long nothing can be said yet. How long was waited comes
//! from whoever waits and not from a clock that can be put forward or back.

use gf_model::{
    InstanceId, NodeId, Timestamp,
    fleet::Fleet,
    health::RECOVERED_ABOVE,
    instance::{Instance, InstanceState},
    operation::{LaneId, LaneRecord, LaneState, Operation, Step, StepRecord},
    verb::{Pace, Verb},
};
use std::time::Duration;

/// What is not heard of so long after the settling time counts as not well.
const PATIENCE: Duration = Duration::from_secs(60);
/// One end since the write may have had any cause; from the second on it does not stay up.
const ENDS: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    Passed,
    /// Nothing is known for so long, unless something changes.
    Wait(Duration),
    /// These are worse off than before, each with what is seen of it.
    Ill(Vec<(LaneId, String)>),
}

/// How the operation goes from batch to batch, where it is one that is looked at in between.
pub fn pace(operation: &Operation) -> Option<&Pace> {
    match &operation.verb {
        Verb::ConfigPush { pace, .. } | Verb::UpdateNodes { pace, .. } => Some(pace),
        _ => None,
    }
}

/// `stage` is one whose lanes have all ended, so long ago.
pub fn judge(fleet: &Fleet, pace: &Pace, stage: &[&LaneRecord], waited: Duration) -> Gate {
    let done: Vec<_> = stage.iter().filter(|record| record.lane.state == LaneState::Done).collect();
    let settle = Duration::from_secs(pace.settle_seconds.into());
    if waited < settle && !done.is_empty() {
        return Gate::Wait(settle - waited);
    }
    let left = (settle + PATIENCE).saturating_sub(waited);
    let overdue = left.is_zero();
    let (mut ill, mut unknown) = (Vec::new(), false);
    for record in done {
        match worst(fleet, record) {
            Seen::Well => {}
            Seen::Unknown(_) if !overdue => unknown = true,
            Seen::Unknown(why) | Seen::Ill(why) => ill.push((record.id.clone(), why)),
        }
    }
    match (ill.is_empty(), unknown) {
        (false, _) => Gate::Ill(ill),
        (true, true) => Gate::Wait(left),
        (true, false) => Gate::Passed,
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Well,
    Unknown(String),
    Ill(String),
}

fn worst(fleet: &Fleet, record: &LaneRecord) -> Seen {
    let began = record.lane.steps.iter().find_map(|step| step.started_at);
    let seen = |step: &StepRecord| {
        let instance = match &step.step {
            Step::ApplyRevision { instance, .. } => instance,
            Step::UpdateNode { node, version, .. } => {
                return node_seen(fleet, node, version, began, &step.output);
            }
            _ => return Seen::Well,
        };
        let before = step.output["scoreBefore"].as_u64();
        fleet.instances.get(instance).map_or(Seen::Well, |now| seen(fleet, now, began, before))
    };
    record.lane.steps.iter().map(seen).max().unwrap_or(Seen::Well)
}

/// It is back, runs what it is to run, and what was well on it before is well.
fn node_seen(
    fleet: &Fleet,
    id: &NodeId,
    version: &str,
    began: Option<Timestamp>,
    before: &serde_json::Value,
) -> Seen {
    let Some(node) = fleet.nodes.get(id).filter(|node| node.connected) else {
        return Seen::Unknown(format!("{id} is not back"));
    };
    if node.software.as_deref() != Some(version) {
        let runs = node.software.as_deref().unwrap_or("an unknown version");
        return Seen::Unknown(format!("{id} came back with {runs}"));
    }
    let were_well =
        before["well"].as_array().into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok());
    let now = were_well.filter_map(|id: InstanceId| fleet.instances.get(&id));
    now.map(|instance| seen(fleet, instance, began, None)).max().unwrap_or(Seen::Well)
}

fn seen(fleet: &Fleet, instance: &Instance, began: Option<Timestamp>, before: Option<u64>) -> Seen {
    use InstanceState::{
        Active, Bootstrapping, Creating, Degraded, Deleted, Draining, Failed, Parked, StandbyPromoting,
        Stopped, TearingDown,
    };
    let id: &InstanceId = &instance.id;
    let ends = instance.restarts.iter().filter(|at| began.is_some_and(|began| **at >= began)).count();
    if ends >= ENDS {
        return Seen::Ill(format!("{id} ended {ends} times since it was written to"));
    }
    match instance.state {
        // Nobody is served badly by what sleeps or is gone.
        Parked | TearingDown | Deleted => Seen::Well,
        Degraded | Failed | Stopped => Seen::Ill(format!("{id} is {}", instance.state)),
        Creating | Bootstrapping | Draining | StandbyPromoting => {
            Seen::Unknown(format!("{id} is still {}", instance.state))
        }
        Active => {
            let node = instance.node.as_ref().and_then(|node| fleet.nodes.get(node));
            if instance.uncertain || node.is_some_and(|node| !node.connected) {
                return Seen::Unknown(format!("{id} was not heard of"));
            }
            let score = instance.health.as_ref().map(|health| health.score);
            let fell = score.filter(|now| {
                *now <= RECOVERED_ABOVE && before.is_none_or(|before| u64::from(*now) < before)
            });
            fell.map_or(Seen::Well, |now| Seen::Ill(format!("the health of {id} fell to {now}")))
        }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
