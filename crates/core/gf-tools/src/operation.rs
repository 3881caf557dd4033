//! `gf_operation`: how far a piece of work is, and holding, ending or undoing it.

use crate::{
    Approval,
    common::{Counts, TargetLine},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperationParams {
    /// Operation id such as op-91c2, or an approval code such as A7K2.
    pub id: String,
    /// `get` reads; the others act. None of them can grant an approval.
    pub action: OperationAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperationAction {
    Get,
    Cancel,
    Pause,
    Resume,
    Retry,
    Rollback,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    pub id: String,
    /// provision, teardown, push, …
    pub verb: String,
    /// Such as WAITING_FOR_APPROVAL, RUNNING, PAUSED, DONE, FAILED, CANCELLED, DENIED, EXPIRED.
    pub state: String,
    /// Code of the approval that it waits for or ran under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    pub targets_total: u64,
    /// Targets by state; adds up to `targetsTotal`.
    pub targets_by_state: Counts,
    /// Instances by their own state, where the work makes or moves instances; adds up to `instancesTotal`.
    pub instances_by_state: Counts,
    pub instances_total: u64,
    pub account_ids: Vec<String>,
    pub instance_ids: Vec<String>,
    /// Quickest and slowest target that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fastest: Option<TargetLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<TargetLine>,
    pub failed: Vec<TargetLine>,
    pub skipped: Vec<TargetLine>,
    pub flagged: Vec<TargetLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub archives: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Webhooks to COMPANION that were acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks_delivered: Option<u64>,
    /// Webhooks to COMPANION that nobody has taken yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks_waiting: Option<u64>,
    /// Why they wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks_wait_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_cost_cents: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_cost: Option<String>,
    /// The trace id of the request that began it: its audit rows, its commands to nodes and the logs have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Why it ended as it did, where it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
