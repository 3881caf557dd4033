//! What must be told to somebody, exactly once: a finished operation, a heal, a failover, a CRITICAL.

use crate::{NoticeId, OperationId};
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

/// Why a webhook waits that nobody can take yet: nobody has said where COMPANION listens.
pub const NOT_CONFIGURED: &str = "COMPANION's address is not configured";

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

impl Notice {
    /// A webhook of an operation has a key that begins so.
    pub fn webhook_key(operation: &OperationId) -> String {
        format!("companion:{operation}:")
    }

    pub const fn is_webhook(&self) -> bool {
        matches!(self.recipient, Recipient::Companion { .. })
    }
}
