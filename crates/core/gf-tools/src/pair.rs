//! `gf_pair_status`: one account's gateway, both halves.

use crate::{
    common::{InstanceLine, OperationLine},
    sla::SlaLine,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PairStatusParams {
    /// Account id such as acct-0042.
    pub account_id: String,
    /// Also report this operation's progress on the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Whose service is told, such as 2026-10 (UTC); without it this month so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PairStatusReply {
    pub summary: String,
    pub account_id: String,
    pub tier: String,
    /// protected, unprotected, building, down, parked or tearing_down.
    pub condition: String,
    pub generation: u64,
    /// `strict`: its channels close when nobody renews its lease. `available`: it serves on.
    pub fencing: String,
    /// Why its standby takes over from a primary that nobody hears of only once that one is confirmed off; absent where it
    /// takes over when the lease is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for_stop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<InstanceLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<InstanceLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failover: Option<LastFailover>,
    /// Newest snapshot's id and age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotLine>,
    /// Percent of the month's known time with a live gateway, planned time apart; absent where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_target_percent: Option<f64>,
    /// Whether the whole month can still meet its target; absent where unknown time decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_met: Option<bool>,
    /// Seconds without service that the month still has room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_seconds_left: Option<u64>,
    /// The month's seconds, each counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla: Option<SlaLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub monthly_cost_cents: i64,
    /// As it is said: `$12/month`.
    pub monthly_cost: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LastFailover {
    pub at: String,
    pub reason: String,
    /// Age of the memory that the new primary woke with; absent where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<f64>,
    pub seconds: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SnapshotLine {
    pub id: String,
    pub age_seconds: f64,
}
