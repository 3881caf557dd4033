//! The hard limits around whatever rules a fleet has: the stricter of both decides.
//!
//! Rules come from files that people change. However wide they are written, nothing gets below the floor.

use crate::{
    Asked, Decision, Facts, Needs, Policy, Request,
    hard::{self, MustAsk},
};
use gf_model::rules::RuleSet;

/// What a fleet's own rules say.
pub trait Rules: Send + Sync + 'static {
    /// `changed`: the rules that an admin put in force, where there are any.
    fn judge(&self, asked: &Asked<'_>, changed: Option<&RuleSet>) -> Decision;
}

pub struct Guarded<R>(pub R);

impl<R: Rules> Policy for Guarded<R> {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let facts = Facts::of(request);
        let Request { principal, role, verb, .. } = *request;
        let asked = Asked { principal, role, verb: verb.name(), facts: &facts };
        guarded(&asked, |asked| self.0.judge(asked, request.fleet.rules_in_force()))
    }
}

/// What rules decide, never below the hard limits.
pub fn guarded(asked: &Asked<'_>, rules: impl FnOnce(&Asked<'_>) -> Decision) -> Decision {
    match hard::floor(asked) {
        Err(refused) => Decision::Refuse(refused),
        Ok(must) => at_least(asked, rules(asked), must),
    }
}

fn at_least(asked: &Asked<'_>, decision: Decision, must: Vec<MustAsk>) -> Decision {
    let needs = match decision {
        Decision::Refuse(_) => return decision,
        Decision::Allow(_) if must.is_empty() => return decision,
        Decision::Allow(_) => {
            let rules = must.iter().map(|must| must.rule.to_owned()).collect();
            let notes = must.into_iter().filter_map(|must| must.note).collect();
            Needs { rules, notes, ..Needs::default() }
        }
        Decision::NeedsApproval(mut needs) => {
            for MustAsk { rule, note } in must {
                if let Some(note) = note
                    && !needs.rules.iter().any(|named| named == rule)
                {
                    needs.rules.push(rule.to_owned());
                    needs.notes.push(note);
                }
            }
            needs
        }
    };
    match hard::child_asks_nobody(asked) {
        Some(refused) => Decision::Refuse(refused),
        None => Decision::NeedsApproval(needs),
    }
}

#[cfg(test)]
#[path = "guarded_tests.rs"]
mod tests;
