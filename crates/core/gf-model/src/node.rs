//! A machine that a gf-clawnode in the `host` role runs on.

use crate::{
    NodeId,
    provider::{ProviderId, Region},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    pub id: NodeId,
    pub provider: ProviderId,
    pub region: Region,
    /// Ed25519, hex; empty until the node has enrolled.
    pub public_key: String,
    /// SHA-256 of the single-use enrolment token, hex; `None` once it was used.
    pub enrol_token_sha256: Option<String>,
    pub enrolled_at: Option<Timestamp>,
    pub connected: bool,
    /// When its connection last came or went; heartbeats in between are not written.
    pub last_change: Timestamp,
    pub software: Option<String>,
}
