//! Where the two instances of a pair go: always at two providers, spread by load, the same answer every time.

use crate::{PlanError, cost, draft::role_word, expand, score};
use gf_model::{
    Tier,
    fleet::Fleet,
    instance::Role,
    provider::{Pool, Provider, ProviderId, ProviderStatus, Region, RegionOffer},
};
use std::{cmp::Reverse, collections::BTreeMap};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub provider: ProviderId,
    pub region: Region,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.region)
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    pub tier: Tier,
    /// Regions, titles or continents; none means anywhere.
    pub regions: &'a [Region],
    pub primary: Option<&'a ProviderId>,
    pub standby: Option<&'a ProviderId>,
}

/// Whether an offer is what somebody called `wanted`: its region, its title or that's first word, or its continent.
pub fn is_in(offer: &RegionOffer, wanted: &str) -> bool {
    let wanted = wanted.trim();
    let first_word = offer.title.split([',', ' ']).next().unwrap_or_default();
    [offer.region.0.as_str(), &offer.continent, &offer.title]
        .into_iter()
        .any(|name| name.eq_ignore_ascii_case(wanted))
        || first_word.eq_ignore_ascii_case(wanted)
}

/// Places pairs one after the other and remembers where it put them.
pub struct Placer<'a> {
    fleet: &'a Fleet,
    load: BTreeMap<ProviderId, usize>,
    regional: BTreeMap<Spot, usize>,
}

impl<'a> Placer<'a> {
    pub fn new(fleet: &'a Fleet) -> Self {
        let mut placer = Self { fleet, load: BTreeMap::new(), regional: BTreeMap::new() };
        for (provider, region, count) in fleet.loads().places() {
            placer.count(&Spot { provider: provider.clone(), region: region.clone() }, count);
        }
        placer
    }

    /// Places for a new primary and its standby.
    pub fn pair(&mut self, wish: &Wish<'_>) -> Result<(Spot, Spot), PlanError> {
        self.check(wish)?;
        let mut failure = no_place(Role::Primary, wish);
        for primary in self.candidates(Role::Primary, wish, None) {
            if wish.standby == Some(&primary.provider) {
                continue;
            }
            match self.candidates(Role::Standby, wish, Some(&primary)).into_iter().next() {
                Some(standby) => {
                    self.count(&primary, 1);
                    self.count(&standby, 1);
                    return Ok((primary, standby));
                }
                None => failure = no_place(Role::Standby, wish),
            }
        }
        Err(failure)
    }

    /// A place for a standby beside a primary that exists.
    pub fn standby(&mut self, tier: Tier, primary: &Spot) -> Result<Spot, PlanError> {
        let wish = Wish { tier, regions: &[], primary: None, standby: None };
        let found = self.candidates(Role::Standby, &wish, Some(primary)).into_iter().next();
        let found = found.ok_or_else(|| no_place(Role::Standby, &wish))?;
        self.count(&found, 1);
        Ok(found)
    }

    fn check(&self, wish: &Wish<'_>) -> Result<(), PlanError> {
        if let (Some(primary), Some(standby)) = (wish.primary, wish.standby)
            && primary == standby
        {
            return Err(PlanError::SameProvider(primary.clone()));
        }
        for region in wish.regions {
            expand::known_region(self.fleet, &region.0)?;
        }
        for (role, wanted) in [(Role::Primary, wish.primary), (Role::Standby, wish.standby)] {
            let Some(wanted) = wanted else { continue };
            let provider = expand::provider(self.fleet, &wanted.0)?;
            let pool = self.fleet.providers.get(&provider).map_or(Pool::Paused, |provider| provider.pool);
            if !takes(pool, role) {
                return Err(PlanError::PoolForbids { provider, pool, role: role_word(role) });
            }
            if !cost::sells(self.fleet, &provider, wish.tier) {
                return Err(PlanError::NotSold { provider, tier: wish.tier });
            }
        }
        Ok(())
    }

    /// Places that would do, best first.
    fn candidates(&self, role: Role, wish: &Wish<'_>, beside: Option<&Spot>) -> Vec<Spot> {
        let named = match role {
            Role::Primary => wish.primary,
            Role::Standby => wish.standby,
        };
        let home = beside.and_then(|spot| self.continent(spot));
        let mut ranked: Vec<_> = self
            .fleet
            .providers
            .values()
            .filter(|provider| named.is_none_or(|wanted| provider.id == *wanted))
            .filter(|provider| beside.is_none_or(|spot| spot.provider != provider.id))
            .filter(|provider| takes(provider.pool, role) && cost::sells(self.fleet, &provider.id, wish.tier))
            .flat_map(|provider| provider.regions.iter().map(move |offer| (provider, offer)))
            .filter(|(provider, offer)| is_up(provider, &offer.region))
            .filter(|(_, offer)| {
                wish.regions.is_empty() || wish.regions.iter().any(|wanted| is_in(offer, &wanted.0))
            })
            .map(|(provider, offer)| {
                let spot = Spot { provider: provider.id.clone(), region: offer.region.clone() };
                let rank = (
                    home.is_some_and(|home| home != offer.continent),
                    doubt(provider, role),
                    self.load.get(&provider.id).copied().unwrap_or(0),
                    self.regional.get(&spot).copied().unwrap_or(0),
                    Reverse(provider.score),
                );
                (rank, spot)
            })
            .collect();
        ranked.sort();
        ranked.into_iter().map(|(_, spot)| spot).collect()
    }

    fn continent(&self, spot: &Spot) -> Option<&'a str> {
        let offers = &self.fleet.providers.get(&spot.provider)?.regions;
        offers.iter().find(|offer| offer.region == spot.region).map(|offer| offer.continent.as_str())
    }

    fn count(&mut self, spot: &Spot, instances: usize) {
        *self.load.entry(spot.provider.clone()).or_default() += instances;
        *self.regional.entry(spot.clone()).or_default() += instances;
    }
}

fn no_place(role: Role, wish: &Wish<'_>) -> PlanError {
    let regions = wish.regions.iter().map(|region| region.to_string()).collect();
    PlanError::NoPlace { role: role_word(role), tier: wish.tier, regions }
}

fn takes(pool: Pool, role: Role) -> bool {
    match pool {
        Pool::Primary => true,
        Pool::Standby => role == Role::Standby,
        Pool::Paused => false,
    }
}

fn is_up(provider: &Provider, region: &Region) -> bool {
    match &provider.status {
        ProviderStatus::Incident { regions, .. } => !regions.is_empty() && !regions.contains(region),
        ProviderStatus::Ok | ProviderStatus::Unknown => true,
    }
}

/// How much a measured score speaks against a provider: what its advice says comes before all load.
fn doubt(provider: &Provider, role: Role) -> u8 {
    let Some(points) = provider.score.filter(|_| !provider.low_confidence) else { return 0 };
    match (score::advice(points), role) {
        (score::Advice::Primary | score::Advice::PrimaryOk, _) => 0,
        (score::Advice::StandbyOnly, Role::Standby) => 0,
        (score::Advice::StandbyOnly, Role::Primary) => 1,
        (score::Advice::Pause, _) => 2,
    }
}
