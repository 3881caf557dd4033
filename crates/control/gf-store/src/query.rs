//! Which audit rows somebody wants to see.

use gf_model::{Timestamp, audit::AuditEntry, person::Principal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No answer holds more rows than this; page on with `before` or `after`.
pub const AUDIT_LIMIT: usize = 500;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditQuery {
    /// Only rows after this number; the answer then begins with the oldest.
    pub after: Option<u64>,
    /// Only rows before this number.
    pub before: Option<u64>,
    /// An account, instance, person or operation that the row names as target or as its operation.
    pub target: Option<String>,
    /// Id of a person, name of an agent or of a service.
    pub actor: Option<String>,
    pub action: Option<String>,
    /// What a trace id leads to. It has no index: the whole trail is gone through.
    pub trace: Option<String>,
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
    /// At most 500, which is also what an absent limit means.
    pub limit: Option<usize>,
}

impl AuditQuery {
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(AUDIT_LIMIT).min(AUDIT_LIMIT)
    }

    /// Newest first, except where a reader follows the trail from a row on.
    pub fn oldest_first(&self) -> bool {
        self.after.is_some()
    }

    pub fn matches(&self, seq: u64, entry: &AuditEntry) -> bool {
        self.after.is_none_or(|after| seq > after)
            && self.before.is_none_or(|before| seq < before)
            && self.target.as_ref().is_none_or(|target| targets(entry).any(|named| named == target))
            && self.actor.as_ref().is_none_or(|actor| actor == actor_of(entry))
            && self.action.as_ref().is_none_or(|action| *action == entry.action)
            && self.trace.as_ref().is_none_or(|trace| entry.trace.as_ref() == Some(trace))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }
}

/// What a row is found by as a target.
pub(crate) fn targets(entry: &AuditEntry) -> impl Iterator<Item = &str> {
    entry.targets.iter().map(String::as_str).chain(entry.operation.as_ref().map(|id| id.as_str()))
}

pub(crate) fn actor_of(entry: &AuditEntry) -> &str {
    match &entry.principal {
        Principal::Person(id) => id.as_str(),
        Principal::Agent(name) | Principal::Service(name) => name,
    }
}
