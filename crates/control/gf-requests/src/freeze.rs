//! Stops all automation at once, and lets it go on: an order of a person, durable and in the audit trail.
//!
//! What runs is paused in the same write, so that no step begins after it that nobody ordered. A thaw lets exactly that
//! go on again; what a person paused, resumed or cancelled meanwhile stays as they left it.

use crate::{Caller, Refusal, Requests, approve::settled};
use gf_model::{
    OperationId, Timestamp,
    audit::AuditEntry,
    fleet::{Fleet, Key},
    freeze::Freeze,
    operation::{Operation, OperationState},
    person::{PersonRole, Principal},
};
use serde_json::{Value, json};

/// In characters.
const LONGEST_REASON: usize = 500;

impl Requests {
    /// The freeze that is in force afterwards: an earlier one stays as it is.
    pub async fn freeze(&self, caller: &Caller, reason: &str) -> Result<Freeze, Refusal> {
        let now = self.clock().now();
        let reason = checked(reason)?;
        let write = self.store().transact(|fleet, tx| {
            may_freeze(fleet, caller)?;
            if let Some(freeze) = fleet.frozen() {
                return Ok(freeze.clone());
            }
            let runs = |operation: &&Operation| operation.state == OperationState::Running;
            let running: Vec<&Operation> = fleet.operations.values().filter(runs).collect();
            let freeze = Freeze {
                at: now,
                by: caller.principal.clone(),
                reason,
                paused: running.iter().map(|operation| operation.id.clone()).collect(),
            };
            let detail = json!({ "reason": freeze.reason });
            tx.audit(row(caller, "automation.freeze", &freeze.paused, detail, now));
            for operation in running {
                tx.put(Operation { state: OperationState::Paused, ..operation.clone() });
            }
            tx.put(freeze.clone());
            Ok(freeze)
        });
        settled(write.await)
    }

    /// Ends a freeze: the one that was in force and the operations that go on; nothing where there was none.
    pub async fn thaw(&self, caller: &Caller) -> Result<Option<(Freeze, Vec<OperationId>)>, Refusal> {
        let now = self.clock().now();
        let write = self.store().transact(|fleet, tx| {
            may_freeze(fleet, caller)?;
            let Some(freeze) = fleet.frozen() else { return Ok(None) };
            let waiting = freeze.paused.iter().filter_map(|id| fleet.operations.get(id));
            let going_on: Vec<&Operation> =
                waiting.filter(|operation| operation.state == OperationState::Paused).collect();
            let ids: Vec<OperationId> = going_on.iter().map(|operation| operation.id.clone()).collect();
            let detail = json!({ "since": freeze.at });
            tx.audit(row(caller, "automation.thaw", &ids, detail, now));
            for operation in going_on {
                tx.put(Operation { state: OperationState::Running, ..operation.clone() });
            }
            tx.delete(Key::Freeze(Freeze::IN_FORCE.to_owned()));
            Ok(Some((freeze.clone(), ids)))
        });
        let thawed = settled(write.await)?;
        self.engine().resume_all();
        Ok(thawed)
    }
}

fn checked(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    match reason.chars().count() {
        1..=LONGEST_REASON => Ok(reason.to_owned()),
        _ => Err(Refusal::new(400, "bad_reason", format!("a reason has 1 to {LONGEST_REASON} characters"))
            .at("reason", reason)
            .fix("say in a few words why, for whoever finds it: clawops freeze --reason TEXT")),
    }
}

/// Stopping harm is an operator's; no model thaws what a person froze.
fn may_freeze(fleet: &Fleet, caller: &Caller) -> Result<(), Refusal> {
    let role = match &caller.principal {
        Principal::Person(id) => {
            fleet.people.get(id).filter(|person| !person.disabled).map(|person| person.role)
        }
        Principal::Agent(_) | Principal::Service(_) => None,
    };
    match role {
        Some(role) if role >= PersonRole::Operator => Ok(()),
        _ => Err(Refusal::new(403, "not_permitted", format!("{} may not freeze or thaw", caller.principal))
            .fix("an operator can with their own key: clawops freeze, clawops thaw")),
    }
}

fn row(
    caller: &Caller,
    action: &str,
    operations: &[OperationId],
    detail: Value,
    at: Timestamp,
) -> AuditEntry {
    let targets = operations.iter().map(ToString::to_string).collect();
    AuditEntry::noted(at, caller.principal.clone(), action, targets, detail).within(&caller.trace)
}
