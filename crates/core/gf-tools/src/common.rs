//! Pieces that several tools' parameters and replies share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts by state name; they always add up to the total that stands beside them.
pub type Counts = BTreeMap<String, u64>;

/// Which instances are meant; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceFilter {
    /// Provider name, such as `hetzner` or `local-a`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Region name as the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Tier of the account: nano, standard, pro or enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// State of the instance, such as ACTIVE, DEGRADED or FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// PRIMARY or STANDBY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only instances of these accounts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub account_ids: Vec<String>,
}

/// One instance in one line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceLine {
    pub instance_id: String,
    pub account_id: String,
    /// PRIMARY or STANDBY.
    pub role: String,
    /// Such as ACTIVE or BOOTSTRAPPING.
    pub state: String,
    /// A remote call was sent and its answer is not known.
    pub uncertain: bool,
    /// It is BOOTSTRAPPING and waits for a place to boot: its machine boots as many as it can at once. Absent: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub waits_to_boot: bool,
    pub provider: String,
    pub region: String,
    pub node: String,
    /// Health score 0 to 100; absent where the state is not scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openclaw_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heartbeat: Option<String>,
}

/// One operation in one line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationLine {
    pub id: String,
    /// provision, teardown, push, …
    pub verb: String,
    /// Such as WAITING_FOR_APPROVAL, RUNNING, PAUSED, DONE, FAILED, CANCELLED.
    pub state: String,
    pub done: u64,
    pub total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// What became of one target of an operation, and why where it did not go well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetLine {
    /// Account or instance id.
    pub id: String,
    /// Such as done, running, waiting, flagged, failed, skipped.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long this target took, where it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}
