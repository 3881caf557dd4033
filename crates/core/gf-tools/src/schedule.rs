//! `gf_schedule`: reports that come by themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleParams {
    /// `list` reads; `add` and `remove` change only what is sent when.
    #[schemars(extend("enum" = ["list", "add", "remove"]))]
    pub action: String,
    /// What is sent; for add, and for remove where no id is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["briefing", "cost report", "health report", "capacity report"]))]
    pub what: Option<String>,
    /// When, in UTC: `daily 07:00`, `weekly monday 08:00`, `monthly 1 07:00`, or `next 07:00` for once; a zone such as
    /// Europe/Berlin may follow. Left out, the report comes when it usually does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Entry to remove, as `list` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleReply {
    pub summary: String,
    /// All entries after the action.
    pub entries: Vec<ScheduleEntry>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleEntry {
    pub id: String,
    pub what: String,
    pub when: String,
    /// In UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run: Option<String>,
    /// The same moment by the clock of whoever asks, where their zone is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_local: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// The conversation that it comes to, or `operators`.
    pub to: String,
}
