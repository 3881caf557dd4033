//! What one clause leads to.

use crate::chat::Call;
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Make this call and report its result.
    Do(Call),
    /// Make this call to learn what was meant; the clause is read again with its result.
    LookUp(Call),
    /// Something is missing or unsure.
    Ask(String),
    /// Say it; nothing is to be done.
    Say(String),
    /// Words of an earlier answer, of which only lines are told whose numbers this turn's results bear out.
    Recall(String),
    /// Of the fleet only the instance with the lowest (or highest) health score is told.
    Extreme { lowest: bool },
    /// Not something that this team does.
    Decline(String),
    /// The clause asks for nothing ("leave Contabo for now").
    Nothing,
}

impl Step {
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::Do(Call { tool: tool.to_owned(), arguments })
    }

    pub fn look_up(tool: &str, arguments: Value) -> Self {
        Self::LookUp(Call { tool: tool.to_owned(), arguments })
    }

    pub fn ask(question: impl Into<String>) -> Self {
        Self::Ask(question.into())
    }

    /// The list of all gateways, to find which accounts were meant.
    pub fn list_accounts() -> Self {
        Self::look_up("gf_fleet_status", json!({ "detail": "full" }))
    }
}

/// Adds an argument where there is a value.
pub fn put<T: Into<Value>>(arguments: &mut Value, key: &str, value: Option<T>) {
    if let Some(value) = value {
        arguments[key] = value.into();
    }
}
