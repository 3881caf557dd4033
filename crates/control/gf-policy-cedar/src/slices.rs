//! Of all rules those that can apply to one kind of principal and one verb, by what stands in their scopes: most rules
//! are about others, and a decision is waited for.
//!
//! What is left out could not have been met. Where a scope is not understood the rule stays in.

use cedar_policy::{ActionConstraint, EntityTypeName, EntityUid, Policy, PolicySet, PrincipalConstraint};
use gf_model::{person::Principal, verb::Verb};
use std::collections::HashMap;

const KINDS: [&str; 3] = ["Person", "Agent", "Service"];

#[derive(Debug, Default)]
pub(crate) struct Slices {
    by_kind_and_verb: HashMap<(&'static str, &'static str), PolicySet>,
}

impl Slices {
    pub(crate) fn of(all: &PolicySet) -> Self {
        let mut slices = Self::default();
        for kind in KINDS {
            for verb in Verb::NAMES {
                let concerned = |policy: &&Policy| is_about_verb(policy, verb) && is_about_kind(policy, kind);
                // A set that cannot be made is not there, and then all rules are asked.
                if let Ok(slice) = PolicySet::from_policies(all.policies().filter(concerned).cloned()) {
                    slices.by_kind_and_verb.insert((kind, verb), slice);
                }
            }
        }
        slices
    }

    pub(crate) fn get(&self, principal: &Principal, verb: &str) -> Option<&PolicySet> {
        let verb = Verb::NAMES.into_iter().find(|known| *known == verb)?;
        let kind = match principal {
            Principal::Person(_) => "Person",
            Principal::Agent(_) => "Agent",
            Principal::Service(_) => "Service",
        };
        self.by_kind_and_verb.get(&(kind, verb))
    }
}

/// Actions have no groups in the schema: to be in a list is to be one of it.
fn is_about_verb(policy: &Policy, verb: &str) -> bool {
    let is_it = |action: &EntityUid| action.id().unescaped() == verb;
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(actions) => actions.iter().any(is_it),
        ActionConstraint::Eq(action) => is_it(&action),
    }
}

fn is_about_kind(policy: &Policy, kind: &str) -> bool {
    match policy.principal_constraint() {
        PrincipalConstraint::Any => true,
        PrincipalConstraint::Is(of) | PrincipalConstraint::IsIn(of, _) => is_kind(&of, kind),
        PrincipalConstraint::In(whom) | PrincipalConstraint::Eq(whom) => may_be_in(&whom, kind),
    }
}

/// A person is in its roles, an agent in its parent; each is in itself.
fn may_be_in(whom: &EntityUid, kind: &str) -> bool {
    let of = whom.type_name();
    match KINDS.into_iter().find(|known| is_kind(of, known)) {
        Some(known) => known == kind,
        None => !is_kind(of, "Role") || kind == "Person",
    }
}

fn is_kind(of: &EntityTypeName, kind: &str) -> bool {
    of.namespace().is_empty() && of.basename() == kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cases, Compiled, shipped};

    #[test]
    fn a_slice_decides_as_all_rules_do() {
        let whole = Compiled::of(&shipped()).unwrap();
        let mut without = Compiled::of(&shipped()).unwrap();
        without.slices = Slices::default();
        let cases = Cases::parse(crate::CASES).unwrap();
        let told = |rules: &Compiled| -> Vec<String> {
            cases.run(rules).into_iter().map(|result| format!("{result:?}")).collect()
        };
        assert!(cases.cases.len() > 30);
        assert_eq!(told(&whole), told(&without));
    }

    #[test]
    fn each_kind_meets_its_own_rules_and_those_of_everybody() {
        let rules = Compiled::of(&shipped()).unwrap();
        let names = |principal: &Principal, verb: &str| -> Vec<String> {
            let slice = rules.slices.get(principal, verb).unwrap();
            let mut names: Vec<_> = slice.policies().map(|policy| policy.id().to_string()).collect();
            names.sort();
            names
        };
        let service = names(&Principal::Service("guardian".into()), "failover");
        assert!(
            service.contains(&"breaker_halted".to_owned())
                && service.contains(&"more_than_ten_users".to_owned())
        );
        assert!(
            !service.iter().any(|name| name.starts_with("commander") || name == "role_too_low"),
            "{service:?}"
        );
        let person = names(&Principal::Person("person-ada".parse().unwrap()), "teardown");
        assert!(person.contains(&"person_confirms".to_owned()) && !person.contains(&"forge_asks".to_owned()));
        assert!(rules.slices.get(&Principal::Agent("commander".into()), "unheard_of").is_none());
    }
}
