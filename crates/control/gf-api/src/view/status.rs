//! The whole fleet, or a part of it, in numbers that add up.

use super::{
    alerts,
    condition::{Pair, pairs},
    line,
    sums::{PairShare, Place, Sums},
    tally::Tally,
    words,
};
use crate::problem::Problem;
use gf_model::{
    Tier, Timestamp,
    fleet::Fleet,
    instance::{Instance, InstanceState},
    provider::{ProviderId, Region},
};
use gf_tools::{FleetStatusParams, FleetStatusReply, fleet::Exposure};

/// Which pairs are counted, checked: an unknown name is refused with those that would be right.
pub struct Filter {
    provider: Option<ProviderId>,
    region: Option<Region>,
    state: Option<InstanceState>,
    full: bool,
}

impl Filter {
    pub fn of(params: &FleetStatusParams, fleet: &Fleet) -> Result<Self, Problem> {
        let full = match params.detail.as_deref() {
            None | Some("summary") => false,
            Some("full") => true,
            Some(other) => {
                return Err(Problem::bad_request("unknown_detail", format!("{other:?} is not a detail"))
                    .at("detail", other)
                    .fix("use summary or full"));
            }
        };
        Ok(Self {
            provider: params.provider.as_deref().map(|given| provider_named(fleet, given)).transpose()?,
            region: params.region.as_deref().map(|given| region_named(fleet, given)).transpose()?,
            state: params.status.as_deref().map(state_named).transpose()?,
            full,
        })
    }

    fn is_open(&self) -> bool {
        self.provider.is_none() && self.region.is_none() && self.state.is_none()
    }

    /// Of a provider or a region; what is not there is not exposed.
    fn exposure(&self, fleet: &Fleet, pairs: &[Pair<'_>]) -> Option<Exposure> {
        let place = match (&self.provider, &self.region) {
            (Some(provider), Some(region)) => format!("{provider} {region}"),
            (Some(provider), None) => provider.to_string(),
            (None, Some(region)) => region.to_string(),
            (None, None) => return None,
        };
        let there = |instance: &Instance| {
            self.provider.as_ref().is_none_or(|provider| instance.provider == *provider)
                && self.region.as_ref().is_none_or(|region| instance.region == *region)
        };
        let mut exposure = Exposure { place, ..Exposure::default() };
        for pair in pairs {
            let primary = pair.primary.filter(|primary| there(primary));
            let standby = pair.standby.filter(|standby| there(standby));
            exposure.accounts += u64::from(primary.is_some() || standby.is_some());
            exposure.primaries += u64::from(primary.is_some());
            exposure.standbys += u64::from(standby.is_some());
            if let Some(primary) = primary {
                let shares = pair.standby.is_some_and(|standby| in_one_city(fleet, primary, standby));
                let moves = pair.standby.is_some_and(|standby| standby.is_active() && !there(standby));
                exposure.share_the_place += u64::from(shares || standby.is_some());
                exposure.can_move += u64::from(moves);
                exposure.stay += u64::from(!moves);
            }
        }
        Some(exposure)
    }

    fn admits(&self, pair: &Pair<'_>) -> bool {
        let any = |fits: &dyn Fn(&Instance) -> bool| pair.instances().any(fits);
        self.provider.as_ref().is_none_or(|provider| any(&|i| i.provider == *provider))
            && self.region.as_ref().is_none_or(|region| any(&|i| i.region == *region))
            && self.state.is_none_or(|state| any(&|i| i.state == state))
    }
}

fn in_one_city(fleet: &Fleet, one: &Instance, other: &Instance) -> bool {
    let of = |instance: &Instance| fleet.providers.get(&instance.provider);
    match (of(one), of(other)) {
        (Some(mine), Some(theirs)) => mine.shares_city(&one.region, theirs, &other.region),
        _ => false,
    }
}

/// A provider by the name that somebody typed.
pub fn provider_named(fleet: &Fleet, given: &str) -> Result<ProviderId, Problem> {
    let id = ProviderId::from(given.trim());
    if fleet.providers.contains_key(&id) {
        return Ok(id);
    }
    let known: Vec<_> = fleet.providers.keys().collect();
    Err(Problem::bad_request("unknown_provider", format!("there is no provider {given:?}"))
        .at("provider", given)
        .fix(format!("use {}", words::list(&known, 12))))
}

/// One of a provider's own regions, by the name that somebody typed.
pub fn region_of(fleet: &Fleet, provider: &ProviderId, given: &str) -> Result<Region, Problem> {
    let region = Region::from(given.trim());
    let offers = fleet.providers.get(provider).map_or(&[][..], |provider| &provider.regions);
    if offers.iter().any(|offer| offer.region == region) {
        return Ok(region);
    }
    let known: Vec<_> = offers.iter().map(|offer| &offer.region).collect();
    Err(Problem::bad_request("unknown_region", format!("{provider} has no region {given:?}"))
        .at("region", given)
        .fix(format!("use {}", words::list(&known, 24))))
}

/// A region by the name or the city that somebody typed.
pub fn region_named(fleet: &Fleet, given: &str) -> Result<Region, Problem> {
    let region = Region::from(given.trim());
    let offers = || fleet.providers.values().flat_map(|provider| &provider.regions);
    let known = || offers().map(|offer| &offer.region);
    if known().any(|offered| *offered == region) {
        return Ok(region);
    }
    // People say the city.
    if let Some(offer) = offers().find(|offer| offer.title.eq_ignore_ascii_case(given.trim())) {
        return Ok(offer.region.clone());
    }
    let known: Vec<_> = known().collect();
    Err(Problem::bad_request("unknown_region", format!("there is no region {given:?}"))
        .at("region", given)
        .fix(format!("use {}", words::list(&known, 24))))
}

/// An instance's state by the name that somebody typed.
pub fn state_named(given: &str) -> Result<InstanceState, Problem> {
    let name = given.trim().to_ascii_uppercase().replace([' ', '-'], "_");
    InstanceState::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
        let known: Vec<_> = InstanceState::ALL.into_iter().map(InstanceState::name).collect();
        Problem::bad_request("unknown_status", format!("{given:?} is not a state of an instance"))
            .at("status", given)
            .fix(format!("use {}", words::list(&known, 12)))
    })
}

/// A tier by the name that somebody typed.
pub fn tier_named(given: &str) -> Result<Tier, Problem> {
    given.parse().map_err(|why: gf_model::tier::UnknownTier| {
        Problem::bad_request("unknown_tier", why.to_string())
            .at("tier", given)
            .fix("use nano, standard, pro or enterprise")
    })
}

/// The pairs that fit a filter, counted in one pass.
fn count(pairs: &[Pair<'_>]) -> Sums {
    let mut sums = Sums::default();
    for pair in pairs {
        sums.put_in_pair(&PairShare::of(pair));
        for instance in pair.instances() {
            let place = Place { provider: instance.provider.clone(), region: instance.region.clone() };
            sums.put_in(instance, place);
        }
    }
    sums
}

/// `tally` is of this fleet: without a filter nothing is counted here.
pub fn fleet_status(
    fleet: &Fleet,
    tally: &Tally,
    params: &FleetStatusParams,
    now: Timestamp,
) -> Result<FleetStatusReply, Problem> {
    let filter = Filter::of(params, fleet)?;
    let listed = || pairs(fleet).filter(|pair| filter.admits(pair)).collect::<Vec<_>>();
    let mut fitting = if filter.is_open() && !filter.full { Vec::new() } else { listed() };
    let counted = (!filter.is_open()).then(|| count(&fitting));
    let sums = counted.as_ref().unwrap_or(tally.sums());
    let alerts = match counted {
        Some(_) => alerts::of_pairs(fleet, &fitting, now),
        None => alerts::of_fleet(fleet, tally, now),
    };
    let operations = fleet.operations.values().filter(|operation| !operation.state.is_over());
    let mut reply = FleetStatusReply {
        summary: String::new(),
        as_of: now.to_string(),
        pairs_total: sums.pairs,
        pairs_by_condition: sums.conditions(),
        unprotected: sums.unprotected,
        instances_total: sums.instances,
        instances_by_state: sums.states(),
        uncertain: sums.uncertain,
        waiting_to_boot: sums.waiting_to_boot,
        by_provider: sums.providers(),
        by_region: sums.regions(),
        by_tier: sums.tiers(),
        monthly_cost_cents: sums.cost.0,
        monthly_cost: words::per_month(sums.cost),
        alerts,
        operations: operations.map(|operation| super::progress::line(fleet, operation)).collect(),
        exposure: filter.exposure(fleet, &fitting),
        revision: (!fleet.revisions.is_empty()).then(|| fleet.newest_revision().to_string()),
        gateways: Vec::new(),
    };
    if filter.full {
        fitting.sort_by_key(|pair| (pair.gateway.created_at, &pair.gateway.account));
        reply.gateways =
            (1..).zip(&fitting).map(|(ordinal, pair)| line::gateway(pair, ordinal, now)).collect();
    }
    reply.summary = summary(&reply, &filter);
    Ok(reply)
}

fn summary(reply: &FleetStatusReply, filter: &Filter) -> String {
    let working = match reply.operations.len() as u64 {
        0 => String::new(),
        n => format!(" {} running.", words::count(n, "operation is", "operations are")),
    };
    if reply.pairs_total == 0 && reply.instances_total == 0 {
        return match filter.is_open() {
            true => format!("The fleet is empty: 0 pairs, 0 instances, {}.{working}", reply.monthly_cost),
            false => "No pair fits this filter.".to_owned(),
        };
    }
    let pairs = format!("{}: {}", words::pairs(reply.pairs_total), words::counts(&reply.pairs_by_condition));
    let queue = match reply.waiting_to_boot {
        0 => String::new(),
        n => format!(" ({} for a place to boot)", words::count(n, "waits", "wait")),
    };
    let exposure = reply.exposure.as_ref().map(exposed).unwrap_or_default();
    let instances = format!(
        "{}: {}{queue}",
        words::instances(reply.instances_total),
        words::counts(&reply.instances_by_state)
    );
    let loud = reply.alerts.iter().filter(|alert| !alert.silenced && alert.severity != "info");
    let alerts = match loud.clone().count() as u64 {
        0 => "Nothing needs attention.".to_owned(),
        n => {
            let first: Vec<String> =
                loud.take(3).map(|alert| format!("{} {}", alert.subject, alert.text)).collect();
            let more = match n.saturating_sub(3) {
                0 => String::new(),
                rest => format!("; and {rest} more"),
            };
            format!("{}: {}{more}.", words::count(n, "alert", "alerts"), first.join("; "))
        }
    };
    format!("{exposure}{pairs}. {instances}. {}. {alerts}{working}", reply.monthly_cost)
}

fn exposed(exposure: &Exposure) -> String {
    let shared = match exposure.share_the_place {
        0 => String::new(),
        n => format!(" {} both halves in that place.", words::count(n, "pair has", "pairs have")),
    };
    format!(
        "Exposure at {}: {} ({}, {}); {} can fail over, {} cannot.{shared} ",
        exposure.place,
        words::count(exposure.accounts, "account", "accounts"),
        words::count(exposure.primaries, "primary", "primaries"),
        words::count(exposure.standbys, "standby", "standbys"),
        exposure.can_move,
        exposure.stay,
    )
}
