//! The circuit breaker of the acts by which the control plane protects the fleet.
//!
//! A broken observer sees every gateway fail. Before the whole fleet is moved somebody else must have seen it too.

use crate::{Ledger, limits};
use gf_model::{
    AccountId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    operation::LaneState,
    provider::ProviderStatus,
    verb::Verb,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// As many as may run at once do; try again when one has ended.
    Wait {
        running: usize,
    },
    /// Too much of the fleet moved and nobody confirms an outage: page a person.
    Halt {
        moved: usize,
        allowed: usize,
    },
}

/// What moves and what moved lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    pub running: usize,
    /// Pairs that moved within ten minutes or are moving, with the one that is asked for.
    pub lately: usize,
    pub allowed: usize,
    /// The provider's own word that the account's place has an incident.
    pub confirmed: bool,
}

/// Counts, with those failovers that were let in and are no operations yet.
pub fn moves(fleet: &Fleet, ledger: &Ledger, account: &AccountId, now: Timestamp) -> Moves {
    let running: BTreeSet<&AccountId> = running(fleet).chain(ledger.failovers_starting()).collect();
    let pairs = fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair).count();
    let recent = fleet.gateways.values().filter(|gateway| moved_lately(gateway, now));
    let lately: BTreeSet<_> =
        recent.map(|gateway| &gateway.account).chain(running.iter().copied()).chain([account]).collect();
    Moves {
        running: running.len(),
        lately: lately.len(),
        allowed: (pairs * limits::BREAKER_PERCENT / 100).max(limits::BREAKER_FLOOR),
        confirmed: provider_confirms(fleet, account),
    }
}

/// Whether one more failover may be started. The outage is confirmed when somebody besides the control plane's own
/// nodes saw it; the provider's own word counts.
pub fn decide(moves: &Moves) -> Verdict {
    if moves.running >= limits::FAILOVERS_AT_ONCE {
        return Verdict::Wait { running: moves.running };
    }
    if moves.lately > moves.allowed && !moves.confirmed {
        return Verdict::Halt { moved: moves.lately.saturating_sub(1), allowed: moves.allowed };
    }
    Verdict::Go
}

/// Whether fewer failovers run than may run at once: a control plane that asks in vain tells nobody anything new.
pub fn has_room(fleet: &Fleet) -> bool {
    running(fleet).count() < limits::FAILOVERS_AT_ONCE
}

fn running(fleet: &Fleet) -> impl Iterator<Item = &AccountId> {
    let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
    open.flat_map(move |operation| match &operation.verb {
        Verb::Failover { outage: Some(outage), .. } => {
            let moving = move |account: &&AccountId| {
                fleet.lanes_of(&operation.id).any(|record| {
                    record.lane.state == LaneState::Running && record.lane.target == account.as_str()
                })
            };
            outage.accounts.iter().filter(moving).collect()
        }
        Verb::Failover { account, .. } => vec![account],
        _ => Vec::new(),
    })
}

fn moved_lately(gateway: &Gateway, now: Timestamp) -> bool {
    let last = gateway.last_failover.as_ref();
    last.is_some_and(|failover| now.duration_since(failover.at).as_secs() < limits::BREAKER_SECONDS)
}

fn provider_confirms(fleet: &Fleet, account: &AccountId) -> bool {
    let Some(primary) = fleet.primary_of(account) else { return false };
    let status = fleet.providers.get(&primary.provider).map(|provider| &provider.status);
    match status {
        Some(ProviderStatus::Incident { regions, .. }) => {
            regions.is_empty() || regions.contains(&primary.region)
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
