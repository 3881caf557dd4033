//! What must be told to somebody, exactly once: a finished operation, a heal, a failover, a CRITICAL.

use crate::NoticeId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// Where a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "to")]
pub enum Recipient {
    /// Into one conversation, such as `cli:person-ada`.
    Conversation { conversation: String },
    /// To whoever operates the fleet: every conversation that an operator has open.
    Operators,
    /// A signed webhook to COMPANION.
    Companion { event: String, body: serde_json::Value },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    pub id: NoticeId,
    /// Two notices with one key are one notice: what happened is told once.
    pub key: String,
    pub recipient: Recipient,
    pub severity: Severity,
    pub text: String,
    /// A read-only tool call whose result holds the numbers of this notice, as `name {json}`.
    pub look_at: Option<String>,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
    pub attempts: u32,
    pub last_error: Option<String>,
}
