//! The circuit breaker of the acts by which the control plane protects the fleet.
//!
//! A broken observer sees every gateway fail. Before the whole fleet is moved somebody else must have seen it too.

use crate::limits;
use gf_model::{
    AccountId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
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

/// Whether one more failover may be started. `second_witness` is whether somebody besides the control plane's own
/// nodes saw the account's place fail; the provider's own word counts as one.
pub fn decide(fleet: &Fleet, account: &AccountId, second_witness: bool, now: Timestamp) -> Verdict {
    let running: BTreeSet<&AccountId> = running(fleet).collect();
    if running.len() >= limits::FAILOVERS_AT_ONCE {
        return Verdict::Wait { running: running.len() };
    }
    let pairs = fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair).count();
    let allowed = (pairs * limits::BREAKER_PERCENT / 100).max(limits::BREAKER_FLOOR);
    let recent = fleet.gateways.values().filter(|gateway| moved_lately(gateway, now));
    let moved: BTreeSet<_> = recent.map(|gateway| &gateway.account).chain(running).chain([account]).collect();
    if moved.len() > allowed && !second_witness && !provider_confirms(fleet, account) {
        return Verdict::Halt { moved: moved.len() - 1, allowed };
    }
    Verdict::Go
}

fn running(fleet: &Fleet) -> impl Iterator<Item = &AccountId> {
    let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
    open.filter_map(|operation| match &operation.verb {
        Verb::Failover { account, .. } => Some(account),
        _ => None,
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
