//! `gf_restore`: an account comes back from an archive, or a gateway from a snapshot.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreParams {
    /// Account to bring back.
    pub account_id: String,
    /// Snapshot to restore from; with neither this nor archive, the account's newest archive, else its newest snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Archive to restore from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Why, in a few words.
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    pub account_id: String,
    /// The snapshot or archive that it comes from.
    pub source: String,
    /// How much of the newest past is lost, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<f64>,
    pub comes_back: Vec<String>,
    pub does_not_come_back: Vec<String>,
    pub monthly_cost_cents: i64,
    /// As it is said: `$12/month`.
    pub monthly_cost: String,
}
