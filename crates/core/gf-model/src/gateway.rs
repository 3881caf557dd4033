//! The service that an account has: a pair of instances, of which one may act.

use crate::{AccountId, ArchiveId, InstanceId, RevisionId, SnapshotId, Tier, lease::Terms, upkeep::Upkeep};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The fencing number of a pair: the instance of the highest one may receive and send.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {}", self.0)
    }
}

/// What an instance does when no witness can tell it whether it still may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fencing {
    /// It closes its channels and keeps its process.
    Strict,
    /// It serves on; the control plane then never promotes without a confirmed stop.
    Available,
}

impl Fencing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Available => "available",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Desired {
    /// A primary and a standby.
    Pair,
    /// An archive and nothing else.
    Archived,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    pub account: AccountId,
    pub tier: Tier,
    pub purpose: Option<String>,
    pub desired: Desired,
    pub generation: Generation,
    pub fencing: Fencing,
    /// Under which terms its primary holds the right to keep channels open.
    #[serde(default)]
    #[schemars(skip)]
    pub lease: Terms,
    pub primary: Option<InstanceId>,
    pub standby: Option<InstanceId>,
    /// Where the account is served now; it moves with the generation.
    pub endpoint: Option<String>,
    /// The configuration revision that it should have.
    pub revision: Option<RevisionId>,
    /// The owned keys that it should have: every revision that it took, merged. A new instance starts with them.
    pub owned: serde_json::Value,
    /// The revisions that it took, oldest first, each with the way back.
    pub taken: Vec<TakenRevision>,
    pub archive: Option<ArchiveId>,
    pub last_snapshot: Option<SnapshotId>,
    pub last_failover: Option<Failover>,
    pub last_activity: Option<Timestamp>,
    /// Seconds of this month in which no live instance served; announced maintenance apart.
    pub down_seconds_month: u64,
    /// When rollouts and restarts may reach it.
    #[serde(default, skip_serializing_if = "Upkeep::is_free")]
    pub upkeep: Upkeep,
    pub created_at: Timestamp,
}

impl Gateway {
    /// One that shall be a pair: nothing of it exists yet.
    pub fn new(account: AccountId, tier: Tier, fencing: Fencing, now: Timestamp) -> Self {
        Self {
            account,
            tier,
            purpose: None,
            desired: Desired::Pair,
            generation: Generation(1),
            fencing,
            lease: Terms::default(),
            primary: None,
            standby: None,
            endpoint: None,
            revision: None,
            owned: serde_json::json!({}),
            taken: Vec::new(),
            archive: None,
            last_snapshot: None,
            last_failover: None,
            last_activity: None,
            down_seconds_month: 0,
            upkeep: Upkeep::default(),
            created_at: now,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakenRevision {
    pub revision: RevisionId,
    /// What `owned` was before it.
    pub owned_before: serde_json::Value,
    pub revision_before: Option<RevisionId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failover {
    pub at: Timestamp,
    pub from: InstanceId,
    pub to: InstanceId,
    pub generation: Generation,
    pub reason: String,
    /// From the decision until the standby accepted.
    pub took_ms: u64,
    /// Age of the memory that the new primary woke with; `None` when there was no snapshot.
    pub rpo_seconds: Option<u64>,
}
