//! Everything that can be asked of the control plane to change something, with its parameters settled.
//!
//! Targets are already expanded to ids: "everyone" never travels further than the request.

use crate::{
    AccountId, ArchiveId, InstanceId, NodeId, OperationId, RevisionId, SnapshotId, Tier,
    provider::{Pool, ProviderId, Region},
    release::Release,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "verb")]
pub enum Verb {
    #[serde(rename_all = "camelCase")]
    Provision {
        accounts: Vec<AccountId>,
        tier: Tier,
        regions: Vec<Region>,
        primary_provider: Option<ProviderId>,
        standby_provider: Option<ProviderId>,
        purpose: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Teardown { accounts: Vec<AccountId>, reason: TeardownReason, archive: bool, standby_only: bool },
    #[serde(rename_all = "camelCase")]
    Restore { account: AccountId, archive: Option<ArchiveId>, snapshot: Option<SnapshotId>, reason: String },
    #[serde(rename_all = "camelCase")]
    Resize { accounts: Vec<AccountId>, tier: Tier },
    #[serde(rename_all = "camelCase")]
    ConfigPush {
        accounts: Vec<AccountId>,
        revision: RevisionId,
        strategy: Strategy,
        /// Gateways per batch; 0 after a canary: the rest in one.
        batch_size: u32,
        #[serde(default)]
        pace: Pace,
    },
    #[serde(rename_all = "camelCase")]
    Rollback { rollout: OperationId, accounts: Vec<AccountId> },
    #[serde(rename_all = "camelCase")]
    Restart { instances: Vec<InstanceId>, reason: String, concurrency: u32 },
    #[serde(rename_all = "camelCase")]
    Failover {
        account: AccountId,
        reason: String,
        /// Set where a whole place is left, wave by wave; `account` is the first of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outage: Option<Outage>,
    },
    /// Builds the standby that a pair lacks.
    #[serde(rename_all = "camelCase")]
    RebuildStandby { account: AccountId },
    #[serde(rename_all = "camelCase")]
    ProviderPolicy { provider: ProviderId, pool: Pool, reason: String },
    /// Nodes become another release of gf-clawnode, ring by ring.
    #[serde(rename_all = "camelCase")]
    UpdateNodes {
        nodes: Vec<NodeId>,
        release: Release,
        /// Nodes per ring after the first ones.
        ring_size: u32,
        pace: Pace,
    },
    #[serde(rename_all = "camelCase")]
    Silence { scope: SilenceScope, minutes: u32, reason: String },
}

impl Verb {
    /// Every verb, by name.
    pub const NAMES: [&'static str; 12] = [
        "provision",
        "teardown",
        "restore",
        "resize",
        "config_push",
        "rollback",
        "restart",
        "failover",
        "rebuild_standby",
        "provider_policy",
        "update_nodes",
        "silence",
    ];

    /// Those that are carried out as operations. A silence is one record, written in the moment in which it is allowed.
    pub fn operations() -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(|name| *name != "silence")
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Provision { .. } => "provision",
            Self::Teardown { .. } => "teardown",
            Self::Restore { .. } => "restore",
            Self::Resize { .. } => "resize",
            Self::ConfigPush { .. } => "config_push",
            Self::Rollback { .. } => "rollback",
            Self::Restart { .. } => "restart",
            Self::Failover { .. } => "failover",
            Self::RebuildStandby { .. } => "rebuild_standby",
            Self::ProviderPolicy { .. } => "provider_policy",
            Self::UpdateNodes { .. } => "update_nodes",
            Self::Silence { .. } => "silence",
        }
    }

    /// Accounts that it names by itself; a restart's follow from its instances.
    pub fn accounts(&self) -> &[AccountId] {
        match self {
            Self::Provision { accounts, .. }
            | Self::Teardown { accounts, .. }
            | Self::Resize { accounts, .. }
            | Self::ConfigPush { accounts, .. }
            | Self::Rollback { accounts, .. } => accounts,
            Self::Failover { outage: Some(outage), .. } => &outage.accounts,
            Self::Restore { account, .. }
            | Self::Failover { account, .. }
            | Self::RebuildStandby { account } => std::slice::from_ref(account),
            Self::Restart { .. }
            | Self::ProviderPolicy { .. }
            | Self::UpdateNodes { .. }
            | Self::Silence { .. } => &[],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeardownReason {
    Idle,
    OperatorRequest,
    BillingFailure,
    AccountClosed,
    Maintenance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    Rolling,
    Immediate,
}

/// A provider or a region that is left by everybody who can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outage {
    pub provider: ProviderId,
    /// Without it, all of the provider's.
    pub region: Option<Region>,
    pub accounts: Vec<AccountId>,
}

/// For so long the alerts of a place that is left are quiet; a person is needed for more than an hour.
pub const OUTAGE_SILENCE_MINUTES: i64 = 60;

impl Outage {
    /// As people name it: `hetzner nbg1`.
    pub fn place(&self) -> String {
        match &self.region {
            Some(region) => format!("{} {region}", self.provider),
            None => self.provider.to_string(),
        }
    }

    pub fn scope(&self) -> SilenceScope {
        match &self.region {
            Some(region) => SilenceScope::Region(region.clone()),
            None => SilenceScope::Provider(self.provider.clone()),
        }
    }
}

/// How carefully a rollout goes from one batch to the next. What was asked for before there were gates has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Pace {
    /// Sizes of the first batches, such as 1, 10, 100, 1000.
    pub canary: Vec<u32>,
    /// How long after its last write a batch is looked at before the next one begins; 0: it is not looked at.
    pub settle_seconds: u32,
    /// The rollout ends when more than this share of all its gateways failed, and more than one.
    pub total_percent: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self { canary: Vec::new(), settle_seconds: 0, total_percent: 100 }
    }
}

impl Pace {
    /// Longer than a hanging OpenClaw takes to be noticed: its node asks it every five seconds, waits four, and tells at once.
    pub const SETTLE_SECONDS: u32 = 10;
    pub const TOTAL_PERCENT: u8 = 5;
    /// The batches of a canary that names no sizes.
    pub const CANARY: [u32; 4] = [1, 10, 100, 1000];

    /// A gate after each batch.
    pub fn gated(canary: Vec<u32>) -> Self {
        Self { canary, settle_seconds: Self::SETTLE_SECONDS, total_percent: Self::TOTAL_PERCENT }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind", content = "id")]
pub enum SilenceScope {
    Provider(ProviderId),
    Region(Region),
    Instance(InstanceId),
}

/// A silence in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    pub scope: SilenceScope,
    pub until: Timestamp,
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Whatever is tried with every kind of operation is tried by these names.
    #[test]
    fn every_verb_that_can_be_read_has_its_name_in_the_list() {
        let schema = schemars::schema_for!(Verb);
        let variants = schema.get("oneOf").and_then(|all| all.as_array()).unwrap();
        let tag = |variant: &serde_json::Value| {
            let camel = variant["properties"]["verb"]["const"].as_str().unwrap().chars();
            camel.fold(String::new(), |mut name, letter| {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
                name
            })
        };
        let read: BTreeSet<String> = variants.iter().map(tag).collect();
        assert_eq!(read, Verb::NAMES.map(str::to_owned).into());
    }
}
