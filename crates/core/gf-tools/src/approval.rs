//! What a tool returns instead of acting when a person must agree.
//!
//! The question is the control plane's own text and is shown by the control plane; an agent must never rewrite it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Approval {
    /// The short code that a person may answer with, such as `A7K2`.
    pub code: String,
    /// The control plane's own question: verb, count, first names, cost, what cannot be undone.
    pub question: String,
    /// Every account, instance or provider that the approved work may touch.
    pub targets: Vec<String>,
    /// Change of the monthly cost, in cents; negative is a saving.
    pub cost_delta_cents: i64,
    /// When the question lapses, RFC 3339.
    pub expires_at: String,
    /// The operation that will run once approved, where it already has an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}
