//! Whether a plan is still inside of what a person agreed to.

use gf_model::{Cents, approval::Envelope, plan::Plan, verb::Verb};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    Fits,
    /// Less than was agreed to; what fell away is reported.
    Dropped {
        what: Vec<String>,
    },
    /// More or other than was agreed to.
    Void {
        why: String,
    },
}

pub fn fits(envelope: &Envelope, plan: &Plan) -> Fit {
    let void = |why: String| Fit::Void { why };
    if envelope.verb != plan.verb.name() {
        return void(format!("{} was agreed to and not {}", envelope.verb, plan.verb.name()));
    }
    if let Some(added) = plan.accounts.iter().find(|account| !envelope.accounts.contains(account)) {
        return void(format!("{added} was added"));
    }
    // New instances get their names at planning; those that exist must be the ones that were shown.
    let makes_new =
        matches!(plan.verb, Verb::Provision { .. } | Verb::Restore { .. } | Verb::RebuildStandby { .. });
    if !makes_new && let Some(added) = plan.instances.iter().find(|id| !envelope.instances.contains(id)) {
        return void(format!("{added} was added"));
    }
    // A ceiling is on what is added: fewer targets also save less, and that is no rise.
    if plan.cost_delta > envelope.cost_ceiling.max(Cents(0)) {
        return void(format!("the cost rose from {} to {} a month", envelope.cost_ceiling, plan.cost_delta));
    }
    if let Verb::ConfigPush { revision, .. } = &plan.verb
        && envelope.revision != Some(*revision)
    {
        return void(format!("{revision} is not the revision that was agreed to"));
    }
    let gone = |present: bool, name: String| (!present).then_some(name);
    let accounts = envelope.accounts.iter().filter_map(|id| gone(plan.accounts.contains(id), id.to_string()));
    let instances =
        envelope.instances.iter().filter_map(|id| gone(plan.instances.contains(id), id.to_string()));
    let dropped: Vec<_> = if makes_new { accounts.collect() } else { accounts.chain(instances).collect() };
    if dropped.is_empty() { Fit::Fits } else { Fit::Dropped { what: dropped } }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
