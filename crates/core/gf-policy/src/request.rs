//! The question to a policy and its answer. Another engine can stand behind the same interface.

use crate::Ledger;
use gf_model::{
    Timestamp,
    fleet::Fleet,
    person::{PersonRole, Principal},
    plan::Plan,
    verb::Verb,
};
use schemars::JsonSchema;
use serde::Serialize;

/// May this principal do this, with these consequences, now?
pub struct Request<'a> {
    pub principal: &'a Principal,
    /// Of a person; agents and services have none.
    pub role: Option<PersonRole>,
    pub verb: &'a Verb,
    pub plan: &'a Plan,
    pub fleet: &'a Fleet,
    pub ledger: &'a Ledger,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Allow(Allowed),
    NeedsApproval(Needs),
    Refuse(Refused),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Allowed {
    /// Names of the rules that permit it.
    pub rules: Vec<String>,
}

/// A person must agree, and must be told these things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Needs {
    pub rules: Vec<String>,
    /// Sentences for the question: how many users, how much more money.
    pub notes: Vec<String>,
    /// Another person than the one who asked must agree.
    pub second_person: bool,
    /// The yes must be signed with the person's own signing key.
    pub signed: bool,
}

impl Needs {
    /// Whether somebody acting with their own key has agreed by asking.
    pub fn own_key_is_enough(&self) -> bool {
        !self.second_person && !self.signed
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refused {
    /// The rule that refuses, stable for programs.
    pub rule: String,
    pub message: String,
    /// What would be right, or how a person can grant it.
    pub fix: Option<String>,
}

/// A decision made visible beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `allow`, `needs approval`, `refuse`.
    pub decision: String,
    pub rules: Vec<String>,
    pub notes: Vec<String>,
    pub fix: Option<String>,
    pub accounts_affected: usize,
    pub cost_delta_cents: i64,
}

impl Decision {
    /// The answer as it is shown.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::NeedsApproval(_) => "needs approval",
            Self::Refuse(_) => "refuse",
        }
    }

    pub fn rules(&self) -> Vec<String> {
        match self {
            Self::Allow(allowed) => allowed.rules.clone(),
            Self::NeedsApproval(needs) => needs.rules.clone(),
            Self::Refuse(refused) => vec![refused.rule.clone()],
        }
    }
}

pub trait Policy: Send + Sync + 'static {
    fn decide(&self, request: &Request<'_>) -> Decision;

    fn explain(&self, request: &Request<'_>) -> Explanation {
        let decision = self.decide(request);
        let (word, rules) = (decision.word(), decision.rules());
        let (notes, fix) = match decision {
            Decision::Allow(_) => (Vec::new(), None),
            Decision::NeedsApproval(needs) => (needs.notes, None),
            Decision::Refuse(refused) => (vec![refused.message], refused.fix),
        };
        Explanation {
            decision: word.to_owned(),
            rules,
            notes,
            fix,
            accounts_affected: request.plan.accounts.len(),
            cost_delta_cents: request.plan.cost_delta.0,
        }
    }
}
