//! How an account is served, in one word.

use gf_model::{
    AccountId,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::{Instance, InstanceState},
    verb::Verb,
};
use gf_policy::leases::is_unprotected;
use serde::Serialize;
use std::collections::HashSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// No live primary serves.
    Down,
    /// A primary serves and no standby could take over: there is none, or the primary is not heard of and may serve on.
    Unprotected,
    /// It is being made for the first time.
    Building,
    TearingDown,
    Parked,
    /// A primary serves and a standby could take over.
    Protected,
}

impl Condition {
    pub const ALL: [Self; 6] =
        [Self::Down, Self::Unprotected, Self::Building, Self::TearingDown, Self::Parked, Self::Protected];

    /// Worst first: the order of [`Condition::ALL`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unprotected => "unprotected",
            Self::Building => "building",
            Self::TearingDown => "tearing_down",
            Self::Parked => "parked",
            Self::Protected => "protected",
        }
    }

    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Down | Self::Unprotected)
    }
}

/// A gateway with its two instances and its condition.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub gateway: &'a Gateway,
    pub primary: Option<&'a Instance>,
    pub standby: Option<&'a Instance>,
    pub condition: Condition,
    /// The primary's node is silent, and nobody may take its place before it is confirmed off.
    pub is_unheard: bool,
}

impl<'a> Pair<'a> {
    /// `None` for an account that has an archive and nothing else.
    pub fn of(fleet: &'a Fleet, gateway: &'a Gateway) -> Option<Self> {
        Self::beside(&teardowns(fleet), fleet, gateway)
    }

    pub(super) fn beside(
        going: &HashSet<&AccountId>,
        fleet: &'a Fleet,
        gateway: &'a Gateway,
    ) -> Option<Self> {
        let half = |id: &Option<_>| {
            id.as_ref().and_then(|id| fleet.instances.get(id)).filter(|instance| instance.state.exists())
        };
        let (primary, standby) = (half(&gateway.primary), half(&gateway.standby));
        if gateway.desired == Desired::Archived && primary.is_none() && standby.is_none() {
            return None;
        }
        let is_unheard = primary.is_some() && is_unprotected(fleet, gateway);
        let condition = match condition(gateway, primary, standby) {
            Condition::Protected if is_unheard => Condition::Unprotected,
            // What a teardown has taken so far is neither trouble nor being made.
            Condition::Down | Condition::Unprotected | Condition::Building
                if going.contains(&gateway.account) =>
            {
                Condition::TearingDown
            }
            condition => condition,
        };
        Some(Self { gateway, primary, standby, condition, is_unheard })
    }

    pub fn instances(&self) -> impl Iterator<Item = &'a Instance> {
        self.primary.into_iter().chain(self.standby)
    }

    /// Whether a standby could take over now.
    pub fn is_protected(&self) -> bool {
        self.standby.is_some_and(Instance::is_active) && !self.is_unheard
    }
}

/// Every account that is served or being made or unmade, in the order of their names.
pub fn pairs(fleet: &Fleet) -> impl Iterator<Item = Pair<'_>> {
    let going = teardowns(fleet);
    fleet.gateways.values().filter_map(move |gateway| Pair::beside(&going, fleet, gateway))
}

/// Accounts whose whole pair goes by what runs.
pub(super) fn teardowns(fleet: &Fleet) -> HashSet<&AccountId> {
    let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
    open.filter_map(|operation| match &operation.verb {
        Verb::Teardown { accounts, standby_only: false, .. } => Some(accounts),
        _ => None,
    })
    .flatten()
    .collect()
}

fn condition(gateway: &Gateway, primary: Option<&Instance>, standby: Option<&Instance>) -> Condition {
    let tearing = |half: Option<&Instance>| half.is_some_and(|i| i.state == InstanceState::TearingDown);
    let coming = |half: Option<&Instance>| {
        half.is_some_and(|i| {
            i.active_at.is_none() && matches!(i.state, InstanceState::Creating | InstanceState::Bootstrapping)
        })
    };
    if gateway.desired == Desired::Archived || tearing(primary) {
        return Condition::TearingDown;
    }
    let never_moved = gateway.last_failover.is_none();
    match primary.map(|i| i.state) {
        Some(InstanceState::Active) if standby.is_some_and(Instance::is_active) => Condition::Protected,
        Some(InstanceState::Active) if never_moved && coming(standby) => Condition::Building,
        Some(InstanceState::Active) => Condition::Unprotected,
        Some(InstanceState::Parked) => Condition::Parked,
        _ if never_moved
            && (coming(primary) || (primary.is_none() && standby.is_none_or(|_| coming(standby)))) =>
        {
            Condition::Building
        }
        _ => Condition::Down,
    }
}
