//! Sums over pairs and instances, from which a share can be taken out again.

use super::{
    condition::{Condition, Pair},
    line, words,
};
use gf_model::{
    Cents, Tier,
    instance::{Instance, InstanceState, Role},
    provider::{ProviderId, Region},
};
use gf_tools::{
    common::Counts,
    fleet::{ProviderCount, RegionCount, TierCount},
};
use hashbrown::HashMap;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub provider: ProviderId,
    pub region: Region,
}

/// What one instance adds to the sums.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    place: u32,
    state: InstanceState,
    primary: bool,
    uncertain: bool,
    waits_to_boot: bool,
    cost: Cents,
}

/// What one pair adds to the sums, without its instances.
#[derive(Debug, Clone, Copy)]
pub struct PairShare {
    condition: Condition,
    unprotected: bool,
    tier: Tier,
    cost: Cents,
}

#[derive(Debug, Clone, Copy, Default)]
struct There {
    instances: u64,
    primaries: u64,
    active: u64,
}

#[derive(Debug, Default)]
pub struct Sums {
    pub pairs: u64,
    pub unprotected: u64,
    pub instances: u64,
    pub uncertain: u64,
    pub waiting_to_boot: u64,
    /// Of all instances.
    pub cost: Cents,
    conditions: BTreeMap<Condition, u64>,
    states: HashMap<InstanceState, u64>,
    tiers: BTreeMap<Tier, (u64, Cents)>,
    places: Vec<(Place, There)>,
    /// Where in `places` each is.
    known: HashMap<Place, u32>,
}

impl PairShare {
    pub fn of(pair: &Pair<'_>) -> Self {
        let may_lack = matches!(pair.condition, Condition::Parked | Condition::TearingDown);
        Self {
            condition: pair.condition,
            unprotected: !may_lack && !pair.is_protected(),
            tier: pair.gateway.tier,
            cost: line::cost(pair),
        }
    }
}

impl Sums {
    pub fn put_in_pair(&mut self, share: &PairShare) {
        self.pairs += 1;
        self.unprotected += u64::from(share.unprotected);
        *self.conditions.entry(share.condition).or_default() += 1;
        let (pairs, cost) = self.tiers.entry(share.tier).or_default();
        (*pairs, *cost) = (*pairs + 1, *cost + share.cost);
    }

    pub fn take_out_pair(&mut self, share: &PairShare) {
        self.pairs -= 1;
        self.unprotected -= u64::from(share.unprotected);
        *self.conditions.entry(share.condition).or_default() -= 1;
        let (pairs, cost) = self.tiers.entry(share.tier).or_default();
        (*pairs, *cost) = (*pairs - 1, Cents(cost.0 - share.cost.0));
    }

    /// Answers with what will have to be taken out when the instance changes.
    pub fn put_in(&mut self, instance: &Instance, place: Place) -> Share {
        let index = self.known.get(&place).copied().unwrap_or_else(|| {
            let fresh = self.places.len() as u32;
            self.known.insert(place.clone(), fresh);
            self.places.push((place, There::default()));
            fresh
        });
        let share = Share {
            place: index,
            state: instance.state,
            primary: instance.role == Role::Primary,
            uncertain: instance.uncertain,
            waits_to_boot: instance.is_waiting_to_boot(),
            cost: instance.monthly_cost,
        };
        self.instances += 1;
        self.uncertain += u64::from(share.uncertain);
        self.waiting_to_boot += u64::from(share.waits_to_boot);
        self.cost = self.cost + share.cost;
        *self.states.entry(share.state).or_default() += 1;
        let there = &mut self.places[index as usize].1;
        there.instances += 1;
        there.primaries += u64::from(share.primary);
        there.active += u64::from(share.is_active());
        share
    }

    pub fn take_out(&mut self, share: Share) {
        self.instances -= 1;
        self.uncertain -= u64::from(share.uncertain);
        self.waiting_to_boot -= u64::from(share.waits_to_boot);
        self.cost = Cents(self.cost.0 - share.cost.0);
        *self.states.entry(share.state).or_default() -= 1;
        let there = &mut self.places[share.place as usize].1;
        there.instances -= 1;
        there.primaries -= u64::from(share.primary);
        there.active -= u64::from(share.is_active());
    }

    pub fn conditions(&self) -> Counts {
        let some = self.conditions.iter().filter(|(_, count)| **count > 0);
        some.map(|(condition, count)| (condition.name().to_owned(), *count)).collect()
    }

    pub fn states(&self) -> Counts {
        let some = self.states.iter().filter(|(_, count)| **count > 0);
        some.map(|(state, count)| (state.name().to_owned(), *count)).collect()
    }

    pub fn providers(&self) -> Vec<ProviderCount> {
        let mut providers = BTreeMap::<&ProviderId, ProviderCount>::new();
        for (place, there) in self.places.iter().filter(|(_, there)| there.instances > 0) {
            let named = || ProviderCount { provider: place.provider.to_string(), ..ProviderCount::default() };
            let provider = providers.entry(&place.provider).or_insert_with(named);
            provider.instances += there.instances;
            provider.primaries += there.primaries;
            provider.standbys += there.instances - there.primaries;
            provider.active += there.active;
        }
        providers.into_values().collect()
    }

    pub fn regions(&self) -> Vec<RegionCount> {
        let mut places: Vec<_> = self.places.iter().filter(|(_, there)| there.instances > 0).collect();
        places.sort_by(|(a, _), (b, _)| a.cmp(b));
        let count = |(place, there): &(Place, There)| RegionCount {
            provider: place.provider.to_string(),
            region: place.region.to_string(),
            instances: there.instances,
            primaries: there.primaries,
            active: there.active,
        };
        places.into_iter().map(count).collect()
    }

    pub fn tiers(&self) -> Vec<TierCount> {
        let some = self.tiers.iter().filter(|(_, (pairs, _))| *pairs > 0);
        some.map(|(tier, (pairs, cost))| TierCount {
            tier: tier.to_string(),
            pairs: *pairs,
            monthly_cost_cents: cost.0,
            monthly_cost: words::per_month(*cost),
        })
        .collect()
    }
}

impl Share {
    fn is_active(self) -> bool {
        self.state == InstanceState::Active
    }
}
