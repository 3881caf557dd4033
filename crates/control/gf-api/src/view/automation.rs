//! Whether automation is frozen, and what waits for its end.

use super::{progress, words};
use gf_model::{OperationId, Timestamp, fleet::Fleet, freeze::Freeze, operation::OperationState};
use gf_reconcile::{HeldBack, decide::Protect};
use gf_tools::{AutomationReply, OperationLine, automation::HeldAct};

/// What a freeze leaves alone, since stopping it would harm or blind people.
const GOES_ON: [&str; 5] = [
    "what a person orders with their own key, or agrees to",
    "watching, counting, calling people, and leases of primaries that serve",
    "nodes start an OpenClaw that ended, as they do while the control plane is away",
    "what was cancelled or failed is put back",
    "a pair in the middle of a failover, and an account in the middle of its teardown, come to their end",
];

/// How the control plane stands.
pub fn reply(fleet: &Fleet, now: Timestamp) -> AutomationReply {
    let Some(freeze) = fleet.frozen() else {
        let summary = "Automation is on; nothing is held back.".to_owned();
        return AutomationReply { summary, ..AutomationReply::default() };
    };
    let held = HeldBack::by(freeze, fleet, now);
    let waiting = waiting(fleet, freeze);
    let mut reply = AutomationReply {
        frozen: true,
        since: Some(freeze.at.to_string()),
        by: Some(freeze.by.to_string()),
        reason: Some(freeze.reason.clone()),
        operations: lines(fleet, &waiting),
        acts: held.acts.iter().map(act).collect(),
        schedules: held.schedules.iter().map(ToString::to_string).collect(),
        memory_not_copied: held.memory_not_copied as u64,
        goes_on: GOES_ON.map(str::to_owned).to_vec(),
        ..AutomationReply::default()
    };
    reply.summary = format!(
        "Automation {}. It holds back {}, {}, {}, and copies of the memory of {}.",
        sentence(fleet, freeze),
        words::count(reply.operations.len() as u64, "operation", "operations"),
        words::count(reply.acts.len() as u64, "heal", "heals"),
        words::count(reply.schedules.len() as u64, "scheduled report", "scheduled reports"),
        words::count(reply.memory_not_copied, "primary", "primaries"),
    );
    reply
}

/// The answer to whoever thawed.
pub fn thawed(fleet: &Fleet, ended: Option<&(Freeze, Vec<OperationId>)>) -> AutomationReply {
    let Some((freeze, going_on)) = ended else {
        let summary = "Automation was not frozen.".to_owned();
        return AutomationReply { summary, ..AutomationReply::default() };
    };
    let operations = lines(fleet, going_on);
    let go_on = words::count(operations.len() as u64, "operation goes on", "operations go on");
    let summary =
        format!("Automation is on again; it was frozen since {}. {go_on}.", words::moment(freeze.at));
    AutomationReply { summary, operations, ..AutomationReply::default() }
}

/// What is said of automation while it is frozen.
pub fn sentence(fleet: &Fleet, freeze: &Freeze) -> String {
    let by = match &freeze.by {
        gf_model::person::Principal::Person(id) => {
            fleet.people.get(id).map_or(id.to_string(), |who| who.first_name.clone())
        }
        other => other.to_string(),
    };
    format!("is frozen since {} by {by}: {}", words::moment(freeze.at), freeze.reason)
}

/// Paused by the freeze, and neither resumed nor cancelled by anybody since.
pub fn waiting(fleet: &Fleet, freeze: &Freeze) -> Vec<OperationId> {
    let waits = |id: &&OperationId| {
        fleet.operations.get(*id).is_some_and(|operation| operation.state == OperationState::Paused)
    };
    freeze.paused.iter().filter(waits).cloned().collect()
}

fn lines(fleet: &Fleet, ids: &[OperationId]) -> Vec<OperationLine> {
    let known = ids.iter().filter_map(|id| fleet.operations.get(id));
    known.map(|operation| progress::line(fleet, operation)).collect()
}

fn act(act: &Protect) -> HeldAct {
    let (name, why) = match act {
        Protect::Restart { reason, .. } => ("restart", Some(reason)),
        Protect::Failover { reason, .. } => ("failover", Some(reason)),
        Protect::RebuildStandby { .. } => ("rebuild_standby", None),
        Protect::Reconnect { .. } => ("reconnect", None),
        Protect::Critical { why, .. } => ("call_a_person", Some(why)),
    };
    HeldAct { act: name.to_owned(), account_id: act.account().to_string(), why: why.cloned() }
}
