//! `gf_tier_resize`: accounts move to another tier.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierResizeParams {
    /// Accounts to move; exact ids.
    pub account_ids: Vec<String>,
    /// The tier they move to.
    #[schemars(extend("enum" = ["nano", "standard", "pro", "enterprise"]))]
    pub new_tier: String,
    /// True plans and prices, and changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TierResizeReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    pub dry_run: bool,
    pub changes: Vec<TierChange>,
    /// Change of the monthly cost in cents; negative is a saving.
    pub monthly_delta_cents: i64,
    /// As it is said: `-$6/month`.
    pub monthly_delta: String,
    /// Expected time without an answer, per account.
    pub interruption_seconds: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TierChange {
    pub account_id: String,
    pub old_tier: String,
    pub new_tier: String,
    pub delta_cents: i64,
}
