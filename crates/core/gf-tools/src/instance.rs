//! `gf_instance_health`: one instance's score, and what it is made of.

use crate::common::InstanceLine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceHealthParams {
    /// Instance id such as i-7f3a.
    pub instance_id: String,
    /// True asks the node now instead of using the last probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceHealthReply {
    pub summary: String,
    pub instance: InstanceLine,
    /// 0 to 100; absent where the state is not scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    pub checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heartbeat: Option<String>,
    /// Restarts in the last ten minutes.
    pub recent_restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_boot_seconds: Option<f64>,
    /// none, wait, restart, failover or page.
    pub recommended_action: String,
    /// Whether this was measured for this question.
    pub live: bool,
    /// Why it was not, although that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_live_because: Option<String>,
    /// When score, checks and resources were measured; absent where nothing was yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<String>,
    /// How old that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Check {
    /// Such as http, draining, channel, disk, memory, cpu, event_loop.
    pub name: String,
    pub ok: bool,
    /// Points that it takes off the score.
    pub penalty: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
}
