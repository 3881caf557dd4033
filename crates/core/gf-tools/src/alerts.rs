//! `gf_alerts_silence`: warnings of one scope stay quiet for a while; what pages, still pages.

use crate::Approval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertsSilenceParams {
    /// A provider, a region, or an instance id; never the whole fleet.
    pub scope: String,
    /// How long, in minutes; up to 60 needs no approval.
    pub minutes: i64,
    /// Why, in a few words.
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertsSilenceReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    pub scope: String,
    pub minutes: i64,
    /// When alerts speak again, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    pub instances: u64,
    pub still_pages: Vec<String>,
}
