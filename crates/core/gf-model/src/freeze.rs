//! A stop of all automation, ordered by a person: what the control plane would do by itself waits until they end it.

use crate::{OperationId, person::Principal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    pub at: Timestamp,
    pub by: Principal,
    pub reason: String,
    /// Operations that ran then and were paused by it: the thaw lets those go on that are still paused.
    pub paused: Vec<OperationId>,
}

impl Freeze {
    /// A fleet has one at most.
    pub const IN_FORCE: &'static str = "in-force";
}
