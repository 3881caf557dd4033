//! `gf_failover`: the standby becomes the primary, the old primary is fenced.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailoverParams {
    /// Account whose standby takes over; or a provider, with or without a region, that everybody leaves who can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Everybody whose primary is there moves, in waves of 20. Its health must have been asked within ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Why, in a few words.
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailoverReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Of one account's failover; empty where a place is left.
    pub account_id: String,
    /// Accounts that move.
    pub accounts: u64,
    /// Waves that they move in, where a place is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waves: Option<u64>,
    /// Generation of the pair after the failover.
    pub generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_primary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_primary: Option<String>,
    /// How much of the newest past the promoted standby does not know, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<f64>,
}
