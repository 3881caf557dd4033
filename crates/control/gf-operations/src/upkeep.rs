//! Whether a gateway's pin or maintenance window, as they are at this moment, stand against a step: what the planner
//! looked at is looked at again before each step, since hours may lie between the two.
//!
//! It holds back upkeep only. What heals, moves, puts back or ends a gateway must never wait for it.

use gf_model::{
    Timestamp,
    fleet::Fleet,
    operation::{Operation, Step},
    verb::Verb,
};

/// Why the target of a step is left out now.
pub fn held_back(fleet: &Fleet, operation: &Operation, step: &Step, now: Timestamp) -> Option<String> {
    let instance = fleet.instances.get(step.instance()?)?;
    let gateway = fleet.gateways.get(&instance.account)?;
    let why = match (&operation.verb, step) {
        (Verb::ConfigPush { .. }, Step::ApplyRevision { .. }) => gateway.upkeep.against_a_rollout(now),
        // One that is not well is healed by it, whatever the hour.
        (Verb::Restart { .. }, Step::Restart { .. }) if instance.is_active() => {
            gateway.upkeep.against_a_restart(now)
        }
        _ => None,
    };
    why.map(|why| format!("{} is left out: {why}", gateway.account))
}
