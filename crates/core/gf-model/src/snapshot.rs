//! Consistent copies of an instance's state: snapshots for the standby, archives for after a teardown.

use crate::{AccountId, ArchiveId, InstanceId, SnapshotId, gateway::Generation};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub id: SnapshotId,
    pub account: AccountId,
    pub instance: InstanceId,
    pub generation: Generation,
    pub taken_at: Timestamp,
    pub bytes: u64,
    /// Hash over the manifest: equal digests hold equal memory.
    pub digest: String,
    /// Where it lies, as the node that made it names it.
    pub location: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    pub id: ArchiveId,
    pub account: AccountId,
    pub taken_at: Timestamp,
    pub bytes: u64,
    pub sha256: String,
    pub location: String,
    /// Until when it is kept.
    pub keep_until: Timestamp,
}
