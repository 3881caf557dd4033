//! `gf_teardown`: a gateway goes, its archive stays.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeardownParams {
    /// Accounts whose gateway goes; exact ids, never a description.
    pub account_ids: Vec<String>,
    /// Why.
    #[schemars(extend("enum" = ["idle", "operator_request", "billing_failure", "account_closed", "maintenance"]))]
    pub reason: String,
    /// Keep an archive that can be restored (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<bool>,
    /// Take down only the standby of each pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby_only: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TeardownReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    pub account_ids: Vec<String>,
    pub instance_ids: Vec<String>,
    /// Archives that exist, once the work has ended.
    pub archives: Vec<ArchiveLine>,
    /// What this saves each month, in cents.
    pub monthly_saving_cents: i64,
    /// As it is said: `$12/month`.
    pub monthly_saving: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ArchiveLine {
    pub id: String,
    pub account_id: String,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<String>,
}
