//! From what somebody said ("all", a list, a filter, "the second one") to ids that exist.

use crate::{PROVISION_LIMIT, PlanError, error::Kind, place};
use gf_model::{
    AccountId, InstanceId, Tier,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::{Instance, InstanceState, Role},
    provider::{Provider, ProviderId},
};
use std::collections::BTreeSet;

/// Every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub provider: Option<String>,
    /// A provider's own region name, its title, or a continent.
    pub region: Option<String>,
    pub tier: Option<String>,
    pub status: Option<String>,
    pub role: Option<String>,
    pub accounts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    All,
    Ids(Vec<String>),
    Filter(Filter),
    /// From 1, in the order of ids.
    Ordinals(Vec<i64>),
}

/// The gateways that are meant, in the order of their ids; those that are archived are not.
pub fn accounts(fleet: &Fleet, targets: &Targets) -> Result<Vec<AccountId>, PlanError> {
    let served = || fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair);
    let found: Vec<AccountId> = match targets {
        Targets::All => served().map(|gateway| gateway.account.clone()).collect(),
        Targets::Ids(ids) => in_order(ids.iter().map(|id| account(fleet, id)))?,
        Targets::Ordinals(places) => {
            let all: Vec<_> = served().collect();
            in_order(places.iter().map(|place| Ok(nth(*place, "account", &all)?.account.clone())))?
        }
        Targets::Filter(filter) => {
            let test = Test::of(fleet, filter)?;
            let meant = served().filter(|gateway| test.gateway(fleet, gateway));
            meant.map(|gateway| gateway.account.clone()).collect()
        }
    };
    some(found, targets)
}

/// The instances that are meant, in the order of their ids.
pub fn instances(fleet: &Fleet, targets: &Targets) -> Result<Vec<InstanceId>, PlanError> {
    let found: Vec<InstanceId> = match targets {
        Targets::All => fleet.live_instances().map(|instance| instance.id.clone()).collect(),
        Targets::Ids(ids) => in_order(ids.iter().map(|id| instance(fleet, id)))?,
        Targets::Ordinals(places) => {
            let all: Vec<_> = fleet.live_instances().collect();
            in_order(places.iter().map(|place| Ok(nth(*place, "instance", &all)?.id.clone())))?
        }
        Targets::Filter(filter) => {
            let test = Test::of(fleet, filter)?;
            let meant = fleet.live_instances().filter(|instance| test.instance(fleet, instance));
            meant.map(|instance| instance.id.clone()).collect()
        }
    };
    some(found, targets)
}

/// An account that has a gateway.
pub fn account(fleet: &Fleet, given: &str) -> Result<AccountId, PlanError> {
    let id: AccountId = given.parse()?;
    if fleet.gateways.contains_key(&id) {
        return Ok(id);
    }
    let close = close_to(id.as_str(), fleet.gateways.keys().map(AccountId::as_str));
    Err(PlanError::Unknown { kind: Kind::Account, given: id.to_string(), close, known: Vec::new() })
}

/// An instance that exists.
pub fn instance(fleet: &Fleet, given: &str) -> Result<InstanceId, PlanError> {
    let id: InstanceId = given.parse()?;
    if fleet.instances.get(&id).is_some_and(|instance| instance.state.exists()) {
        return Ok(id);
    }
    let close = close_to(id.as_str(), fleet.live_instances().map(|instance| instance.id.as_str()));
    Err(PlanError::Unknown { kind: Kind::Instance, given: id.to_string(), close, known: Vec::new() })
}

/// A provider of the fleet, by its id or its name.
pub fn provider(fleet: &Fleet, given: &str) -> Result<ProviderId, PlanError> {
    let wanted = given.trim();
    let named = |provider: &&Provider| {
        provider.id.0.eq_ignore_ascii_case(wanted) || provider.name.eq_ignore_ascii_case(wanted)
    };
    if let Some(found) = fleet.providers.values().find(named) {
        return Ok(found.id.clone());
    }
    let known: Vec<_> = fleet.providers.keys().map(ToString::to_string).collect();
    let close = close_to(&wanted.to_lowercase(), known.iter().map(String::as_str));
    Err(PlanError::Unknown { kind: Kind::Provider, given: given.to_owned(), close, known })
}

/// How many accounts somebody asked for.
pub fn count(given: i64) -> Result<usize, PlanError> {
    let max = PROVISION_LIMIT as i64;
    if (1..=max).contains(&given) {
        Ok(given as usize)
    } else {
        Err(PlanError::OutOfRange { field: "count", given, min: 1, max })
    }
}

/// The next free account numbers: `acct-0001`, `acct-0002`, … A number that is known is not given out again.
pub fn next_accounts(fleet: &Fleet, n: usize) -> Vec<AccountId> {
    let number = |id: &AccountId| id.as_str().strip_prefix(AccountId::PREFIX)?.parse::<u64>().ok();
    let last = fleet.accounts.keys().chain(fleet.gateways.keys()).filter_map(number).max().unwrap_or(0);
    (1..=n as u64).filter_map(|step| format!("acct-{:04}", last.saturating_add(step)).parse().ok()).collect()
}

/// Each once, in the order of their ids.
fn in_order<T: Ord>(found: impl Iterator<Item = Result<T, PlanError>>) -> Result<Vec<T>, PlanError> {
    let found: BTreeSet<T> = found.collect::<Result<_, _>>()?;
    Ok(found.into_iter().collect())
}

fn some<T>(found: Vec<T>, targets: &Targets) -> Result<Vec<T>, PlanError> {
    if found.is_empty() {
        return Err(PlanError::NothingMatches { what: words(targets) });
    }
    Ok(found)
}

fn words(targets: &Targets) -> String {
    match targets {
        Targets::All => "all".into(),
        Targets::Ids(ids) => ids.join(", "),
        Targets::Ordinals(places) => format!("{places:?}"),
        Targets::Filter(filter) => {
            let fields = [
                ("provider", &filter.provider),
                ("region", &filter.region),
                ("tier", &filter.tier),
                ("status", &filter.status),
                ("role", &filter.role),
            ];
            let given = fields.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
            let accounts = (!filter.accounts.is_empty()).then(|| filter.accounts.join(", "));
            given.chain(accounts).collect::<Vec<_>>().join(", ")
        }
    }
}

fn nth<'a, T>(place: i64, field: &'static str, all: &[&'a T]) -> Result<&'a T, PlanError> {
    let index = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    let found = index.and_then(|index| all.get(index).copied());
    found.ok_or(PlanError::OutOfRange { field, given: place, min: 1, max: all.len() as i64 })
}

/// A filter whose words were all understood.
struct Test {
    provider: Option<ProviderId>,
    region: Option<String>,
    tier: Option<Tier>,
    status: Option<InstanceState>,
    role: Option<Role>,
    accounts: Vec<AccountId>,
}

impl Test {
    fn of(fleet: &Fleet, filter: &Filter) -> Result<Self, PlanError> {
        if let Some(region) = &filter.region {
            known_region(fleet, region)?;
        }
        Ok(Self {
            provider: filter.provider.as_deref().map(|given| provider(fleet, given)).transpose()?,
            region: filter.region.clone(),
            tier: filter.tier.as_deref().map(str::parse).transpose()?,
            status: filter.status.as_deref().map(state).transpose()?,
            role: filter.role.as_deref().map(role).transpose()?,
            accounts: filter.accounts.iter().map(|id| account(fleet, id)).collect::<Result<_, _>>()?,
        })
    }

    fn instance(&self, fleet: &Fleet, instance: &Instance) -> bool {
        let in_region = |wanted: &String| {
            let provider = fleet.providers.get(&instance.provider);
            let offer =
                provider.and_then(|it| it.regions.iter().find(|offer| offer.region == instance.region));
            match offer {
                Some(offer) => place::is_in(offer, wanted),
                None => instance.region.0.eq_ignore_ascii_case(wanted.trim()),
            }
        };
        self.provider.as_ref().is_none_or(|wanted| instance.provider == *wanted)
            && self.region.as_ref().is_none_or(in_region)
            && self.tier.is_none_or(|wanted| instance.tier == wanted)
            && self.status.is_none_or(|wanted| instance.state == wanted)
            && self.role.is_none_or(|wanted| instance.role == wanted)
            && (self.accounts.is_empty() || self.accounts.contains(&instance.account))
    }

    /// A gateway is meant when its primary is, or its standby where the filter says so.
    fn gateway(&self, fleet: &Fleet, gateway: &Gateway) -> bool {
        let of_role = match self.role {
            Some(Role::Standby) => fleet.standby(gateway),
            _ => fleet.primary(gateway),
        };
        of_role.is_some_and(|instance| self.instance(fleet, instance))
    }
}

/// A state by its name, in any case.
pub fn state(given: &str) -> Result<InstanceState, PlanError> {
    let wanted = given.trim().replace([' ', '-'], "_");
    let found = InstanceState::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(&wanted));
    found.ok_or_else(|| PlanError::Unknown {
        kind: Kind::State,
        given: given.to_owned(),
        close: Vec::new(),
        known: InstanceState::ALL.iter().map(ToString::to_string).collect(),
    })
}

fn role(given: &str) -> Result<Role, PlanError> {
    match given.trim().to_ascii_lowercase().as_str() {
        "primary" => Ok(Role::Primary),
        "standby" => Ok(Role::Standby),
        _ => Err(PlanError::Unknown {
            kind: Kind::Role,
            given: given.to_owned(),
            close: Vec::new(),
            known: vec!["PRIMARY".into(), "STANDBY".into()],
        }),
    }
}

/// Checks that some provider has a region, title or continent of that name.
pub(crate) fn known_region(fleet: &Fleet, given: &str) -> Result<(), PlanError> {
    let offers = || fleet.providers.values().flat_map(|provider| &provider.regions);
    if offers().any(|offer| place::is_in(offer, given)) {
        return Ok(());
    }
    let known: BTreeSet<_> = offers().map(|offer| offer.region.to_string()).collect();
    let close = close_to(&given.trim().to_lowercase(), known.iter().map(String::as_str));
    let known = known.into_iter().collect();
    Err(PlanError::Unknown { kind: Kind::Region, given: given.to_owned(), close, known })
}

/// Up to three names that differ in at most two letters, nearest first.
fn close_to<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<_> = names
        .filter(|name| name.len().abs_diff(given.len()) <= 2)
        .map(|name| (distance(given, name), name))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
