//! How long each account was served in a month, against what its tier promises.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a month.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SlaReply {
    pub summary: String,
    /// `2026-10`, UTC.
    pub month: String,
    /// Accounts whose target was missed.
    pub missed: u64,
    /// Accounts of which what is unknown decides it.
    pub undecided: u64,
    /// The worst first.
    pub items: Vec<SlaLine>,
    /// All accounts that match, on this page or not.
    pub total: u64,
    /// What to give as `after` for the next page; `null` on the last.
    pub next: Option<String>,
}

/// Each second of the month is one of these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SlaLine {
    pub account_id: String,
    pub tier: String,
    /// met, missed or unknown.
    pub verdict: String,
    pub target_percent: f64,
    /// Of the known time, planned time apart; absent where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achieved_percent: Option<f64>,
    pub up_seconds: u64,
    /// It should have been served, and nobody did.
    pub down_seconds: u64,
    /// Without service while a person's own order was carried out.
    pub planned_seconds: u64,
    /// The control plane did not look; never counted as served.
    pub unknown_seconds: u64,
    /// There was no account, or an archive and nothing else.
    pub outside_seconds: u64,
    pub to_come_seconds: u64,
    /// Seconds without service that the month still has room for.
    pub seconds_left: u64,
}
