//! Something that went wrong, with its timeline, kept so that "third time this month" can be said.

use crate::{AccountId, IncidentId, InstanceId, notice::Severity};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    Open,
    Resolved,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub id: IncidentId,
    pub title: String,
    pub severity: Severity,
    pub state: IncidentState,
    pub accounts: Vec<AccountId>,
    pub instances: Vec<InstanceId>,
    pub timeline: Vec<IncidentEntry>,
    pub root_cause: Option<String>,
    pub actions: Vec<String>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentEntry {
    pub at: Timestamp,
    pub text: String,
}

impl Incident {
    /// One that has just begun: whom it concerns and what was done is said as it becomes known.
    pub fn opened(id: IncidentId, title: String, severity: Severity, now: Timestamp) -> Self {
        Self {
            id,
            title,
            severity,
            state: IncidentState::Open,
            accounts: Vec::new(),
            instances: Vec::new(),
            timeline: Vec::new(),
            root_cause: None,
            actions: Vec::new(),
            opened_at: now,
            resolved_at: None,
        }
    }
}
