//! Tries rules on a table of requests: `policy/cases.toml`, or a file of one's own.

use crate::{BadCases, Compiled};
use gf_model::{
    person::{PersonRole, Principal},
    verb::Verb,
};
use gf_policy::{Asked, Decision, Facts, guarded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// `agent commander`, `service healer`, or `person` with a role: `person operator`.
    pub who: String,
    pub verb: String,
    #[serde(default)]
    pub facts: Facts,
    /// allow, needs approval, needs a signature, needs a second person, needs a second person's signature, refuse.
    pub expect: String,
    /// Rules that the decision must name.
    #[serde(default)]
    pub rules: Vec<String>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseResult {
    pub name: String,
    pub ok: bool,
    pub expected: String,
    pub decision: String,
    pub rules: Vec<String>,
}

impl Cases {
    pub fn parse(text: &str) -> Result<Self, BadCases> {
        let cases: Self =
            toml::from_str(text).map_err(|error| BadCases(error.to_string().trim().to_owned()))?;
        for case in &cases.cases {
            case.check()?;
        }
        Ok(cases)
    }

    /// Each case by these rules, with the hard limits under them.
    pub fn run(&self, rules: &Compiled) -> Vec<CaseResult> {
        self.cases.iter().map(|case| case.run(rules)).collect()
    }
}

impl Case {
    fn check(&self) -> Result<(), BadCases> {
        let name = &self.name;
        if self.principal().is_none() {
            let who = &self.who;
            return Err(BadCases(format!(
                "case {name:?}: who is {who:?}; write \"agent NAME\", \"service NAME\", \"person ROLE\" or \"person\""
            )));
        }
        if !Verb::NAMES.contains(&self.verb.as_str()) {
            let verbs = Verb::NAMES.join(", ");
            return Err(BadCases(format!(
                "case {name:?}: there is no verb {:?}; there are {verbs}",
                self.verb
            )));
        }
        const WORDS: [&str; 6] = [
            "allow",
            "needs approval",
            "needs a signature",
            "needs a second person",
            "needs a second person's signature",
            "refuse",
        ];
        if !WORDS.contains(&self.expect.as_str()) {
            let words = WORDS.join(", ");
            return Err(BadCases(format!(
                "case {name:?}: expect is {:?}; it is one of {words}",
                self.expect
            )));
        }
        Ok(())
    }

    fn principal(&self) -> Option<(Principal, Option<PersonRole>)> {
        let person = |role| Some((Principal::Person("person-case".parse().ok()?), role));
        match self.who.split_once(' ') {
            Some(("agent", name)) if !name.is_empty() => Some((Principal::Agent(name.to_owned()), None)),
            Some(("service", name)) if !name.is_empty() => Some((Principal::Service(name.to_owned()), None)),
            Some(("person", "viewer")) => person(Some(PersonRole::Viewer)),
            Some(("person", "operator")) => person(Some(PersonRole::Operator)),
            Some(("person", "approver")) => person(Some(PersonRole::Approver)),
            Some(("person", "admin")) => person(Some(PersonRole::Admin)),
            // A person who was disabled.
            None if self.who == "person" => person(None),
            _ => None,
        }
    }

    fn run(&self, rules: &Compiled) -> CaseResult {
        let result = |decision: &str, rules: Vec<String>| CaseResult {
            name: self.name.clone(),
            ok: decision == self.expect && self.rules.iter().all(|rule| rules.contains(rule)),
            expected: match self.rules.as_slice() {
                [] => self.expect.clone(),
                named => format!("{} by {}", self.expect, named.join(", ")),
            },
            decision: decision.to_owned(),
            rules,
        };
        let Some((principal, role)) = self.principal() else { return result("unreadable", Vec::new()) };
        let asked = Asked { principal: &principal, role, verb: &self.verb, facts: &self.facts };
        let decision = guarded(&asked, |asked| rules.judge(asked));
        let word = match &decision {
            Decision::NeedsApproval(needs) => match (needs.second_person, needs.signed) {
                (false, false) => decision.word(),
                (true, false) => "needs a second person",
                (false, true) => "needs a signature",
                (true, true) => "needs a second person's signature",
            },
            other => other.word(),
        };
        result(word, decision.rules())
    }
}
