//! What stands in the replies that were shown last: halves of a pair, operations, incidents, scheduled reports.
//!
//! Only the newest look counts, since "the first one" is said of what is before a person's eyes.

use super::{Memory, text};
use crate::{envelope::ToolUse, language::Sense};
use serde_json::Value;

impl<'a> Memory<'a> {
    /// The newest look, if it was by this tool.
    fn shown(&self, tool: &str) -> Option<&'a ToolUse> {
        self.last_use().filter(|used| used.tool == tool)
    }

    /// What we answered last.
    pub fn last_answer(&self) -> Option<&'a str> {
        self.past.last().map(|exchange| exchange.answered.trim())
    }

    /// One half of the pair that was looked at last.
    pub fn half_shown(&self, role: Sense) -> Option<String> {
        let half = if role == Sense::Standby { "standby" } else { "primary" };
        text(&self.shown("gf_pair_status")?.reply[half]["instanceId"])
    }

    /// Whose instance this is, as any reply of the conversation says.
    pub fn account_of(&self, instance: &str) -> Option<String> {
        fn find(value: &Value, instance: &str) -> Option<String> {
            match value {
                Value::Object(map) if value["instanceId"] == instance => {
                    map.get("accountId").and_then(Value::as_str).map(str::to_owned)
                }
                Value::Object(map) => map.values().find_map(|inner| find(inner, instance)),
                Value::Array(items) => items.iter().find_map(|inner| find(inner, instance)),
                _ => None,
            }
        }
        self.newest_first().find_map(|used| find(&used.reply, instance))
    }

    /// Operations of the fleet as it was shown last, with their verbs.
    pub fn operations_shown(&self) -> Vec<(String, String)> {
        let listed = self.shown("gf_fleet_status").map(|used| &used.reply["operations"]);
        let items = listed.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| Some((text(&item["id"])?, text(&item["verb"])?))).collect()
    }

    /// Incidents as they were shown last, the first first.
    pub fn incidents_shown(&self) -> Vec<String> {
        ids(self.shown("gf_incident_report"), "incidents")
    }

    /// Scheduled reports as they were listed last.
    pub fn entries_shown(&self) -> Vec<String> {
        ids(self.shown("gf_schedule"), "entries")
    }

    /// What the provider itself told of its trouble, where that was looked at last.
    pub fn trouble_shown(&self) -> Option<String> {
        let providers = &self.shown("gf_provider_health")?.reply["providers"];
        providers.as_array()?.iter().find_map(|provider| text(&provider["incident"]))
    }

    /// The newest call, if it only said what a change would be.
    pub fn previewed(&self) -> Option<&'a ToolUse> {
        self.last_use().filter(|used| used.arguments["dryRun"] == true && used.reply["error"].is_null())
    }

    /// The newest call, if the control plane refused it.
    pub fn refused(&self) -> Option<&'a ToolUse> {
        self.last_use().filter(|used| !used.reply["error"].is_null())
    }
}

fn ids(used: Option<&ToolUse>, key: &str) -> Vec<String> {
    let items = used.and_then(|used| used.reply[key].as_array()).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| text(&item["id"])).collect()
}
