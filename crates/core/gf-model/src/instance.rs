//! One OpenClaw in one place, and the states that it may pass through.

use crate::{
    AccountId, Cents, InstanceId, NodeId, RevisionId, SnapshotId, Tier,
    gateway::Generation,
    health::Health,
    provider::{ProviderId, Region},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    Primary,
    Standby,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceState {
    /// The place is being made.
    Creating,
    /// The place exists; OpenClaw has not answered yet.
    Bootstrapping,
    Active,
    /// It answers badly or not at all and is being healed.
    Degraded,
    /// Healing gave up.
    Failed,
    /// A standby that is taking over.
    StandbyPromoting,
    Draining,
    Parked,
    Stopped,
    TearingDown,
    Deleted,
}

impl InstanceState {
    pub const ALL: [InstanceState; 11] = [
        Self::Creating,
        Self::Bootstrapping,
        Self::Active,
        Self::Degraded,
        Self::Failed,
        Self::StandbyPromoting,
        Self::Draining,
        Self::Parked,
        Self::Stopped,
        Self::TearingDown,
        Self::Deleted,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Bootstrapping => "BOOTSTRAPPING",
            Self::Active => "ACTIVE",
            Self::Degraded => "DEGRADED",
            Self::Failed => "FAILED",
            Self::StandbyPromoting => "STANDBY_PROMOTING",
            Self::Draining => "DRAINING",
            Self::Parked => "PARKED",
            Self::Stopped => "STOPPED",
            Self::TearingDown => "TEARING_DOWN",
            Self::Deleted => "DELETED",
        }
    }

    /// Whether a low health score means anything in this state.
    pub const fn is_scored(self) -> bool {
        matches!(self, Self::Active | Self::Degraded | Self::Failed | Self::StandbyPromoting)
    }

    /// Whether the fleet still has this instance somewhere.
    pub const fn exists(self) -> bool {
        !matches!(self, Self::Deleted)
    }

    /// The moves that are possible; anything else is a defect of the caller.
    pub const fn may_become(self, next: Self) -> bool {
        use InstanceState::*;
        match (self, next) {
            (Deleted, _) => false,
            (TearingDown, Deleted) => true,
            (TearingDown, _) => false,
            (_, TearingDown) => true,
            (Creating, Bootstrapping | Failed) => true,
            (Bootstrapping, Active | Degraded | Failed | Stopped) => true,
            (Active, Degraded | Failed | StandbyPromoting | Draining | Stopped | Bootstrapping) => true,
            (Degraded, Active | Failed | Bootstrapping | Draining | Stopped) => true,
            (Failed, Active | Bootstrapping | Stopped | Draining) => true,
            (StandbyPromoting, Active | Degraded | Failed | Bootstrapping) => true,
            (Draining, Active | Stopped | Parked | Failed) => true,
            (Parked, Active | Bootstrapping | Stopped | Failed) => true,
            (Stopped, Bootstrapping | Failed) => true,
            _ => false,
        }
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
// Kept in this order: what a look at many asks of each stands together, and before the rest.
#[repr(C)]
pub struct Instance {
    pub id: InstanceId,
    pub account: AccountId,
    pub role: Role,
    pub state: InstanceState,
    pub state_since: Timestamp,
    /// A remote call was sent and its answer is not known: look before acting again.
    pub uncertain: bool,
    /// Its machine boots as many as it can at once, and this one waits for its turn; as its node said last.
    #[serde(default)]
    pub waits_to_boot: bool,
    pub tier: Tier,
    pub provider: ProviderId,
    pub region: Region,
    pub monthly_cost: Cents,
    /// The driver's own name of the place, once it is known.
    pub place: Option<String>,
    pub node: Option<NodeId>,
    /// Where OpenClaw answers, such as `http://127.0.0.1:7500`.
    pub endpoint: Option<String>,
    /// The generation under which this instance may use the account's channels.
    pub generation: Generation,
    pub channels_on: bool,
    /// The lease terms that its node has written down for it, as it said last: those that it serves under, or, of a
    /// standby, those that its node is the witness of.
    #[serde(default)]
    #[schemars(skip)]
    pub lease_terms: u64,
    pub health: Option<Health>,
    /// How long its last boot took until it answered.
    pub last_boot_ms: Option<u64>,
    /// Automatic restarts of the last ten minutes, oldest first.
    pub restarts: Vec<Timestamp>,
    pub revision: Option<RevisionId>,
    /// The snapshot that this instance's memory comes from, where it was not its own.
    pub remembers: Option<SnapshotId>,
    /// Why a person must look at it, such as a malformed configuration.
    pub flagged: Option<String>,
    pub created_at: Timestamp,
    pub active_at: Option<Timestamp>,
}

impl Instance {
    /// One that is ordered: nothing is known of it yet.
    pub fn new(
        id: InstanceId,
        account: AccountId,
        role: Role,
        tier: Tier,
        provider: ProviderId,
        region: Region,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            role,
            state: InstanceState::Creating,
            state_since: now,
            uncertain: false,
            waits_to_boot: false,
            tier,
            provider,
            region,
            monthly_cost: Cents(0),
            place: None,
            node: None,
            endpoint: None,
            generation: Generation::default(),
            channels_on: false,
            lease_terms: 0,
            health: None,
            last_boot_ms: None,
            restarts: Vec::new(),
            revision: None,
            remembers: None,
            flagged: None,
            created_at: now,
            active_at: None,
        }
    }

    pub fn is_active(&self) -> bool {
        self.state == InstanceState::Active
    }

    /// Whether its provider is paid for it.
    pub fn is_paid(&self) -> bool {
        self.state.exists() && self.state != InstanceState::TearingDown
    }

    /// Whether it would boot if its machine had room.
    pub fn is_waiting_to_boot(&self) -> bool {
        self.waits_to_boot && self.state == InstanceState::Bootstrapping
    }
}

#[cfg(test)]
mod tests {
    use super::InstanceState::*;

    #[test]
    fn what_is_deleted_stays_deleted() {
        for next in super::InstanceState::ALL {
            assert!(!Deleted.may_become(next));
        }
        assert!(TearingDown.may_become(Deleted));
        assert!(!TearingDown.may_become(Active));
    }

    #[test]
    fn sleepers_and_starters_are_not_scored() {
        for state in [Parked, Draining, Bootstrapping, Creating, Stopped] {
            assert!(!state.is_scored(), "{state}");
        }
    }
}
