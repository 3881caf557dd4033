//! `gf_provision`: new gateways, each a pair at two different providers.

use crate::{Approval, common::Counts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProvisionParams {
    /// How many new accounts, at least 1; or give accountIds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// The accounts to make, by id; instead of count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_ids: Option<Vec<String>>,
    /// Size of every new pair.
    #[schemars(extend("enum" = ["nano", "standard", "pro", "enterprise"]))]
    pub tier: String,
    /// Regions to choose from, such as `eu` or a provider's own region name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
    /// Provider of the primaries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_provider: Option<String>,
    /// Provider of the standbys; never the same as the primaries'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_provider: Option<String>,
    /// What they are for, in the operator's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProvisionReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    pub pairs: u64,
    pub tier: String,
    /// One line per pair, oldest first.
    pub plan: Vec<PairPlan>,
    /// What this adds each month.
    pub monthly_cost_cents: i64,
    /// As it is said: `$24/month`.
    pub monthly_cost: String,
    /// Instances by state; present once the work has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Counts>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PairPlan {
    pub account_id: String,
    pub primary: Place,
    pub standby: Place,
    pub monthly_cost_cents: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Place {
    pub provider: String,
    pub region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}
