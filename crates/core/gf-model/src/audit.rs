//! Rows that say who did what, written before it is done and completed after, each chained to the one before.

use crate::{ApprovalCode, OperationId, person::Principal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What one row says. The store adds its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub at: Timestamp,
    pub principal: Principal,
    /// `teardown`, `step.delete_instance`, `approval.grant`, `refused`.
    pub action: String,
    /// `started`, `done`, `failed`, `refused`: an act has a `started` row before its first effect.
    pub phase: AuditPhase,
    /// Ids of accounts, instances, people or operations that it concerns.
    pub targets: Vec<String>,
    pub operation: Option<OperationId>,
    pub approval: Option<ApprovalCode>,
    /// Hash of the plan under which it happens.
    pub plan_hash: Option<String>,
    /// The trace id of what led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What a reader needs beyond the above; never a secret.
    pub detail: serde_json::Value,
}

impl AuditEntry {
    /// A single fact, of no operation and under no approval.
    pub fn noted(
        at: Timestamp,
        principal: Principal,
        action: impl Into<String>,
        targets: Vec<String>,
        detail: serde_json::Value,
    ) -> Self {
        Self {
            at,
            principal,
            action: action.into(),
            phase: AuditPhase::Noted,
            targets,
            operation: None,
            approval: None,
            plan_hash: None,
            trace: None,
            detail,
        }
    }

    /// The same as part of a trace; of none where that is empty.
    #[must_use]
    pub fn within(mut self, trace: &str) -> Self {
        self.trace = Some(trace.to_owned()).filter(|trace| !trace.is_empty());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditPhase {
    Started,
    Done,
    Failed,
    Refused,
    /// A single fact that has no later half, such as a login or a granted approval.
    Noted,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRow {
    /// From 1, without gaps.
    pub seq: u64,
    pub entry: AuditEntry,
    /// Hash of the row before, hex; 64 zeros for the first.
    pub previous: String,
    /// SHA-256 over `seq`, `previous` and the entry's JSON, hex.
    pub hash: String,
}

/// What stands before the first row.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a row: over its place, the row before and the exact bytes of its entry.
pub fn row_hash(seq: u64, previous: &str, entry_json: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(seq.to_be_bytes());
    hasher.update(previous.as_bytes());
    hasher.update([0]);
    hasher.update(entry_json.as_bytes());
    hex::encode(hasher.finalize())
}
