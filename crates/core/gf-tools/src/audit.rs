//! `gf_audit_log`: who did what, and whether the chain of rows is whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditLogParams {
    /// Only rows about this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only rows about this instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only rows of this person, agent or service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only rows of this verb, such as provision, teardown, restart or failover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only rows of this trace id, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Not before, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Not after, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Newest rows to return (default 50, at most 500).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditLogReply {
    pub summary: String,
    /// Rows that match, of which `rows` holds the newest.
    pub matching: u64,
    /// Newest first.
    pub rows: Vec<AuditRow>,
    pub chain_ok: bool,
    /// What is wrong with the chain, where it is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_problem: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditRow {
    pub sequence: u64,
    /// UTC, to the second.
    pub at: String,
    pub actor: String,
    pub action: String,
    pub targets: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The trace id of what led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// begun, done, failed or refused.
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
