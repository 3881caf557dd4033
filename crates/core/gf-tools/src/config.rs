//! `gf_config_push`: a merge patch of owned configuration keys to many gateways, in validated batches.

use crate::{
    Approval,
    common::{InstanceFilter, TargetLine},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigPushParams {
    /// "all", a list of account ids, or a filter.
    pub targets: Targets,
    /// JSON merge patch of OpenClaw's configuration; null removes a key.
    pub patch: Map<String, Value>,
    /// What the change is for, in a few words.
    pub description: String,
    /// `rolling` (default) validates each batch before the next; `canary` begins with 1, then 10, 100, 1000, then the
    /// rest; `immediate` is refused above 100 instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["rolling", "canary", "immediate"]))]
    pub strategy: Option<String>,
    /// Sizes of a canary's first batches, such as [1, 5, 25]; the rest follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_sizes: Option<Vec<i64>>,
    /// How long after its last write a batch must be well before the next one begins (default 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<i64>,
    /// Gateways per batch (default 50; after a canary all that are left).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<i64>,
    /// True shows the diff and the blast radius, and changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Which gateways a push goes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Targets {
    /// "all", or one account id.
    Word(String),
    /// Account ids.
    Ids(Vec<String>),
    Filter(InstanceFilter),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigPushReply {
    pub summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The rollout; an operation id that gf_operation takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Revision that the push makes, such as `v47`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub dry_run: bool,
    pub strategy: String,
    pub diff: Vec<DiffLine>,
    pub gateways: u64,
    pub instances: u64,
    pub batch_size: u64,
    pub batches: u64,
    pub last_batch: u64,
    /// Targets set aside before or during the push, each with its reason.
    pub flagged: Vec<TargetLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DiffLine {
    /// Dotted key path.
    pub path: String,
    /// The value now, where all targets agree; absent where the key is unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value after; absent where the key is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// Gateways whose value differs from `new` now.
    pub gateways: u64,
    /// Whether OpenClaw must restart to apply it.
    pub restart: bool,
}
