//! `gf_provider_health` and `gf_provider_policy`: how providers do, and which new accounts they get.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderHealthParams {
    /// One provider; without it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// True adds a score per day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderHealthReply {
    pub summary: String,
    pub providers: Vec<ProviderLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderLine {
    pub provider: String,
    /// 0 to 100 over seven days; absent where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// primary, standby only, or pause.
    pub advice: String,
    /// primary, standby or paused, as the policy is now.
    pub pool: String,
    /// Fewer than five provisions in the window.
    pub low_confidence: bool,
    pub provisions: u64,
    pub failed_provisions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_provision_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_success_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_percent: Option<f64>,
    /// What the provider itself says about an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// ok, incident or unknown, in its own words.
    pub status: String,
    /// When it was asked for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_asked_at: Option<String>,
    pub instances: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    pub history: Vec<DayScore>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DayScore {
    pub day: String,
    pub score: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderPolicyParams {
    pub provider: String,
    /// `primary` takes any new instance, `standby` only standbys, `paused` none.
    #[schemars(extend("enum" = ["primary", "standby", "paused"]))]
    pub pool: String,
    /// Why, in a few words.
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderPolicyReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    pub provider: String,
    pub old: String,
    pub new: String,
    /// Revision that the change makes, such as `v47`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Instances already there; they stay.
    pub existing_instances: u64,
}
