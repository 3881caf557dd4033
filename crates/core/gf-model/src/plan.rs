//! What will be done, worked out in full before anybody is asked and before anything is touched.

use crate::{AccountId, Cents, InstanceId, operation::Stage, verb::Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub verb: Verb,
    /// Distinct accounts that feel it, after expansion.
    pub accounts: Vec<AccountId>,
    pub instances: Vec<InstanceId>,
    pub stages: Vec<Stage>,
    /// Change of the fleet's monthly cost; negative for a saving.
    pub cost_delta: Cents,
    pub monthly_before: Cents,
    /// One line per thing that a person should know: places, prices, what is interrupted.
    pub lines: Vec<String>,
    /// What cannot be undone, in words; empty when all of it can.
    pub irreversible: Vec<String>,
    /// Objections of the plan's own lint that do not forbid it.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Hash of all that the plan does. Two plans with one hash do the same to the same targets.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        // Serialising these types cannot fail: they have string keys and no foreign serialisers.
        hasher.update(serde_json::to_vec(&(&self.verb, &self.stages)).unwrap_or_default());
        hex::encode(&hasher.finalize()[..16])
    }
}
