//! Whether the control plane acts by itself, and what a freeze holds back.

use crate::common::OperationLine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AutomationReply {
    pub summary: String,
    pub frozen: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Who froze it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Operations that the freeze paused and that wait for its end; after a thaw those that go on.
    pub operations: Vec<OperationLine>,
    /// Heals, failovers and new standbys that are due and not begun.
    pub acts: Vec<HeldAct>,
    /// Reports that are due and not sent.
    pub schedules: Vec<String>,
    /// Serving primaries whose memory was not copied since.
    pub memory_not_copied: u64,
    /// What goes on all the same.
    pub goes_on: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeldAct {
    /// restart, failover, rebuild_standby or reconnect.
    pub act: String,
    pub account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
