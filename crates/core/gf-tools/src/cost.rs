//! `gf_cost_report`: actual against projected, and what could be saved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CostReportParams {
    /// Period to report (default week), both sides pro-rated to now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["day", "week", "month"]))]
    pub period: Option<String>,
    /// Leave out waste items that save less than this many dollars a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_savings: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CostReportReply {
    pub summary: String,
    pub period: String,
    pub from: String,
    pub to: String,
    pub actual_cents: i64,
    pub actual: String,
    pub projected_cents: i64,
    pub projected: String,
    /// What the projection is made of: `budget` or `list prices`.
    pub projection: String,
    /// Percent over projection; negative is under-spend; absent without a projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation_percent: Option<f64>,
    /// More than 15 % over projection.
    pub anomaly: bool,
    pub monthly_run_rate_cents: i64,
    /// As it is said: `$24/month`.
    pub monthly_run_rate: String,
    pub waste: Vec<WasteItem>,
    /// Found with less than seven days of data: told, never recommended for execution, not counted as recoverable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsure: Vec<WasteItem>,
    /// Accounts whose activity nobody has seen, so that nobody can call them idle.
    pub activity_unknown: u64,
    /// Accounts whose load was not measured all week, so that nobody can call them oversized.
    pub load_unknown: u64,
    pub recoverable_cents: i64,
    /// As it is said: `$492/month`.
    pub recoverable: String,
    /// Less than seven days of data: nothing of this is recommended for execution.
    pub low_confidence: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WasteItem {
    /// idle, oversized or arbitrage.
    pub kind: String,
    pub count: u64,
    pub account_ids: Vec<String>,
    pub monthly_cents: i64,
    /// As it is said: `$341/month`.
    pub monthly: String,
    pub recommendation: String,
    /// Tier to move to, where the item is oversized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_tier: Option<String>,
    /// Provider to move from, where the item is arbitrage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_provider: Option<String>,
    /// Provider to move to, where the item is arbitrage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_provider: Option<String>,
}
