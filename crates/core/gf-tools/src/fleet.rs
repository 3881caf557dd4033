//! `gf_fleet_status`: the whole fleet, or a part of it, in numbers that add up.

use crate::common::{Counts, InstanceLine, OperationLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FleetStatusParams {
    /// Only gateways with an instance at this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only gateways with an instance in this region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Only gateways with an instance in this state, such as DEGRADED or FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `summary` (default) gives counts; `full` adds every gateway with its two instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["summary", "full"]))]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FleetStatusReply {
    pub summary: String,
    pub as_of: String,
    /// Number of gateways (pairs) counted.
    pub pairs_total: u64,
    /// Pairs by condition (protected, unprotected, building, down, parked, tearing_down); adds up to `pairsTotal`.
    pub pairs_by_condition: Counts,
    /// Pairs whose standby is not ACTIVE.
    pub unprotected: u64,
    pub instances_total: u64,
    /// Adds up to `instancesTotal`.
    pub instances_by_state: Counts,
    /// Instances with a remote call whose answer is not known.
    pub uncertain: u64,
    /// BOOTSTRAPPING instances that wait for a place to boot, since their machine boots as many as it can at once.
    pub waiting_to_boot: u64,
    pub by_provider: Vec<ProviderCount>,
    pub by_region: Vec<RegionCount>,
    pub by_tier: Vec<TierCount>,
    pub monthly_cost_cents: i64,
    /// As it is said: `$24/month`.
    pub monthly_cost: String,
    pub alerts: Vec<Alert>,
    /// Operations that run or wait.
    pub operations: Vec<OperationLine>,
    /// What would be lost with the provider or region that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// Current configuration revision, such as `v47`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Oldest first; with `detail: full` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<GatewayLine>,
}

/// Who stands at a place, and who could leave it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Exposure {
    pub place: String,
    pub accounts: u64,
    pub primaries: u64,
    pub standbys: u64,
    /// Primaries there whose standby is ACTIVE and elsewhere: these can fail over.
    pub can_move: u64,
    /// Primaries there that cannot.
    pub stay: u64,
    /// Pairs of which both halves stand there, or in the same city.
    pub share_the_place: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderCount {
    pub provider: String,
    pub instances: u64,
    pub primaries: u64,
    pub standbys: u64,
    pub active: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RegionCount {
    pub provider: String,
    pub region: String,
    pub instances: u64,
    pub primaries: u64,
    pub active: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TierCount {
    pub tier: String,
    pub pairs: u64,
    pub monthly_cost_cents: i64,
    pub monthly_cost: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Alert {
    /// critical, high, warning or info.
    pub severity: String,
    /// What it is about: an instance, account, provider or operation.
    pub subject: String,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    pub silenced: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayLine {
    pub account_id: String,
    /// Place in the list, from 1, oldest first; "the second account" is this.
    pub ordinal: u64,
    pub tier: String,
    /// As in `pairsByCondition`.
    pub condition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<InstanceLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<InstanceLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    pub monthly_cost_cents: i64,
    pub monthly_cost: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Days without user activity, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u64>,
}
