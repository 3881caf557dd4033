//! `gf_incident_report`: what happened, to whom, why, and what follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentReportParams {
    /// `list` and `get` read; `create` and `update` write the record and change nothing else.
    #[schemars(extend("enum" = ["create", "get", "update", "list"]))]
    pub action: String,
    /// Incident id such as inc-03aa; for get and update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Short title; for create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["critical", "high", "warning", "info"]))]
    pub severity: Option<String>,
    /// open, mitigated or resolved; for update, or to list only such.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["open", "mitigated", "resolved"]))]
    pub status: Option<String>,
    /// Accounts, instances, providers or regions that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// A line for the timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// Things to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentReportReply {
    pub summary: String,
    /// Incidents that match; one for create, get and update.
    pub incidents: Vec<IncidentLine>,
    pub open: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentLine {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub status: String,
    pub opened_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    pub subjects: Vec<String>,
    /// Accounts that were affected, and how many of them had no live gateway.
    pub affected_accounts: u64,
    pub without_gateway: u64,
    pub timeline: Vec<TimelineEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    pub actions: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TimelineEntry {
    pub at: String,
    pub text: String,
}
