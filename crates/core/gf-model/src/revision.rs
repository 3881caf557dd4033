//! A version of configuration: owned key paths and the merge patch that sets them.

use crate::{RevisionId, person::Principal};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    pub id: RevisionId,
    pub description: String,
    /// RFC 7386 merge patch; `null` for a change of policy that touches no instance.
    pub patch: serde_json::Value,
    /// SHA-256 of the patch's JSON, hex.
    pub digest: String,
    pub created_at: Timestamp,
    pub created_by: Principal,
}
