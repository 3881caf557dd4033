//! What one trace id led to, from who asked to what was done where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceReply {
    pub summary: String,
    pub trace: String,
    /// The oldest first.
    pub items: Vec<TraceLine>,
    /// Whether there is more than is shown.
    pub cut: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceLine {
    /// UTC, to the millisecond.
    pub at: String,
    /// question, audit, operation or step.
    pub kind: String,
    pub what: String,
    /// An account, an instance, or who asked.
    pub about: String,
    /// running, done, failed and the like.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The provider at which it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The machine on which it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How often it was tried, where that was more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Where it was asked, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
