//! What another set of rules would change: the plan that an admin looks at.

use crate::{Cases, Compiled, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RuleChange")]
pub struct Change {
    /// Names the rules that would be in force; an admin agrees to exactly these.
    pub digest: String,
    /// Names the rules that are in force.
    pub replaces: String,
    pub added: Vec<NamedRule>,
    pub removed: Vec<NamedRule>,
    pub changed: Vec<ChangedRule>,
    /// Cases of the shipped table that would be decided otherwise than now.
    pub decided_otherwise: Vec<Otherwise>,
    pub warnings: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedRule {
    pub rule: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangedRule {
    pub rule: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Otherwise {
    pub case: String,
    pub before: String,
    pub after: String,
}

impl Change {
    pub fn of(now: &Compiled, then: &Compiled, cases: &Cases) -> Self {
        let (old, new) = (by_name(now), by_name(then));
        let only_in = |these: &BTreeMap<&str, &str>, those: &BTreeMap<&str, &str>| {
            let missing = these.iter().filter(|(rule, _)| !those.contains_key(*rule));
            missing.map(|(rule, text)| NamedRule { rule: (*rule).into(), text: (*text).into() }).collect()
        };
        let changed = old.iter().filter_map(|(rule, before)| {
            let after = new.get(rule).filter(|after| *after != before)?;
            Some(ChangedRule { rule: (*rule).into(), before: (*before).into(), after: (*after).into() })
        });
        let decided = cases.run(now).into_iter().zip(cases.run(then));
        let otherwise =
            decided.filter(|(before, after)| before.decision != after.decision).map(|(before, after)| {
                Otherwise { case: before.name, before: before.decision, after: after.decision }
            });
        Self {
            digest: then.digest.clone(),
            replaces: now.digest.clone(),
            added: only_in(&new, &old),
            removed: only_in(&old, &new),
            changed: changed.collect(),
            decided_otherwise: otherwise.collect(),
            warnings: then.warnings.clone(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

fn by_name(rules: &Compiled) -> BTreeMap<&str, &str> {
    rules.rules.values().map(|rule| (rule.name.as_str(), rule.text.as_str())).collect()
}
