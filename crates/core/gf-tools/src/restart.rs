//! `gf_bulk_restart`: OpenClaw is restarted and probed by a real request.

use crate::{
    Approval,
    common::{InstanceFilter, TargetLine},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRestartParams {
    /// Instances to restart; or give filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Which instances to restart, such as {"status":"DEGRADED"}; instead of instanceIds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<InstanceFilter>,
    /// Why, in a few words.
    pub reason: String,
    /// How many at once (default 20).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BulkRestartReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Instances that matched; healed, degraded, failed and running add up to it.
    pub matched: u64,
    pub healed: Vec<TargetLine>,
    pub degraded: Vec<TargetLine>,
    pub failed: Vec<TargetLine>,
    /// Restarts that had not ended when the reply was written.
    pub running: Vec<TargetLine>,
}
