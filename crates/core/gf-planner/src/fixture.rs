//! A fleet of 847 pairs as a company might have it: what the product's own examples and simulations are told about.
//!
//! Its numbers are exact and tested: 94 primaries in Hetzner's Nuremberg, $5,344.30 a month against a budget of
//! $5,100, 31 idle pairs, 18 over-sized ones and 6 instances that are cheaper elsewhere.

use crate::waste::Usage;
use gf_model::{
    AccountId, Cents, InstanceId, Tier, Timestamp,
    fleet::{Account, Fleet},
    gateway::{Fencing, Gateway, Generation},
    health::{Health, Observation},
    instance::{Instance, InstanceState, Role},
    provider::{Pool, Provider, ProviderId, ProviderStatus, Region, RegionOffer, TrackRecord},
    usage::Peak,
};
use jiff::SignedDuration;
use std::collections::BTreeMap;

pub const PAIRS: usize = 847;
/// What a month was planned to cost.
pub const MONTHLY_BUDGET: Cents = Cents::dollars(5_100);
/// Primaries that stand in Hetzner's Nuremberg.
pub const IN_NUREMBERG: usize = 94;

/// Name, price of one instance by tier in cents, regions in Europe first.
type Seller = (&'static str, &'static str, [i64; 4], &'static [(&'static str, &'static str, &'static str)]);

const SELLERS: [Seller; 5] = [
    (
        "hetzner",
        "Hetzner",
        [300, 600, 1200, 2400],
        &[
            ("nbg1", "Nuremberg", "EU"),
            ("fsn1", "Falkenstein", "EU"),
            ("hel1", "Helsinki", "EU"),
            ("ash", "Ashburn, Virginia", "US"),
        ],
    ),
    (
        "vultr",
        "Vultr",
        [300, 600, 1200, 2400],
        &[("fra", "Frankfurt", "EU"), ("ams", "Amsterdam", "EU"), ("ewr", "New Jersey", "US")],
    ),
    (
        "digitalocean",
        "DigitalOcean",
        [350, 700, 1400, 2800],
        &[("fra1", "Frankfurt", "EU"), ("ams3", "Amsterdam", "EU"), ("nyc3", "New York", "US")],
    ),
    (
        "contabo",
        "Contabo",
        [275, 550, 1100, 2200],
        &[("eu", "Nuremberg and Lauterbourg", "EU"), ("us-east", "New York", "US")],
    ),
    ("hostinger", "Hostinger", [290, 580, 1160, 2320], &[("lt", "Vilnius", "EU"), ("us", "Phoenix", "US")]),
];

/// What became of a pair, for the cost report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Busy,
    Idle,
    Small,
    Young,
}

/// Pairs of one kind: how many, tier, the two providers, what they are used for.
const KINDS: [(usize, Tier, &str, &str, Use); 12] = [
    (24, Tier::Standard, "hetzner", "vultr", Use::Idle),
    (5, Tier::Nano, "hetzner", "vultr", Use::Idle),
    (2, Tier::Standard, "hetzner", "contabo", Use::Idle),
    (18, Tier::Standard, "vultr", "hetzner", Use::Small),
    (4, Tier::Nano, "digitalocean", "contabo", Use::Young),
    (2, Tier::Standard, "digitalocean", "contabo", Use::Young),
    (102, Tier::Nano, "vultr", "hostinger", Use::Busy),
    (570, Tier::Nano, "hetzner", "contabo", Use::Busy),
    (107, Tier::Nano, "vultr", "hetzner", Use::Busy),
    (10, Tier::Standard, "hetzner", "vultr", Use::Busy),
    (2, Tier::Pro, "vultr", "hetzner", Use::Busy),
    (1, Tier::Enterprise, "hetzner", "vultr", Use::Busy),
];

/// All of it, ACTIVE and healthy at `now`.
pub fn fleet(now: Timestamp) -> Fleet {
    let mut fleet = Fleet::default();
    for provider in providers() {
        fleet.apply(provider.into());
    }
    let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (tier, primary, standby, used)) in pairs().enumerate() {
        let account = account(index);
        let mut place = |provider: &'static str, role: Role| {
            let nth = placed.entry(provider).or_default();
            let region = region(&fleet, provider, role, *nth);
            *nth += usize::from(role == Role::Primary);
            instance(&fleet, &account, index, role, tier, provider, region, now)
        };
        let (mut primary, mut standby) = (place(primary, Role::Primary), place(standby, Role::Standby));
        let mut gateway = Gateway::new(account.clone(), tier, Fencing::Available, now - days(90));
        gateway.created_at = since(used, now);
        (primary.created_at, standby.created_at) = (gateway.created_at, gateway.created_at);
        gateway.primary = Some(primary.id.clone());
        gateway.standby = Some(standby.id.clone());
        gateway.last_activity = Some(last_activity(used, index, now));
        fleet.apply(Account { id: account, channels: Vec::new(), created_at: since(used, now) }.into());
        fleet.apply(primary.into());
        fleet.apply(standby.into());
        fleet.apply(gateway.into());
    }
    fleet
}

/// What was measured of each account over the last week.
pub fn usage(now: Timestamp) -> BTreeMap<AccountId, Usage> {
    let of = |(index, (_, _, _, used)): (usize, (Tier, &str, &str, Use))| {
        let peak = if used == Use::Small { 12.0 } else { 35.0 };
        let usage = Usage {
            days_known: 90,
            days_measured: 7,
            last_activity: Some(last_activity(used, index, now)),
            peak_cpu_percent: Some(peak),
            peak_memory_percent: Some(peak),
            tenure_months: if used == Use::Young { 1 } else { 3 },
        };
        (account(index), usage)
    };
    pairs().enumerate().map(of).collect()
}

/// The same as the records that the control plane itself would have kept of that week.
pub fn records_of_use(now: Timestamp) -> Vec<gf_model::usage::Usage> {
    let of = |(account, usage): (AccountId, Usage)| {
        let mut record = gf_model::usage::Usage::new(account);
        let peak = Peak { cpu_percent: usage.peak_cpu_percent, memory_percent: usage.peak_memory_percent };
        for hour in (0..8 * 24).rev() {
            record.add(now - SignedDuration::from_hours(hour), peak);
        }
        record
    };
    usage(now).into_iter().map(of).collect()
}

/// What the providers that do not bill by the hour charge once for an instance.
fn setup_fees() -> BTreeMap<ProviderId, Cents> {
    [("contabo", 750), ("hostinger", 499)].map(|(id, cents)| (ProviderId::from(id), Cents(cents))).into()
}

pub fn providers() -> Vec<Provider> {
    let provider = |(id, name, prices, regions): &Seller| Provider {
        id: ProviderId::from(*id),
        name: (*name).to_owned(),
        driver: "sim".to_owned(),
        regions: regions
            .iter()
            .map(|(region, title, continent)| RegionOffer {
                region: Region::from(*region),
                title: (*title).to_owned(),
                continent: (*continent).to_owned(),
            })
            .collect(),
        prices: Tier::ALL.into_iter().zip(prices.map(Cents)).collect(),
        setup_fee: Some(setup_fees().get(&ProviderId::from(*id)).copied().unwrap_or_default()),
        pool: Pool::Primary,
        status: ProviderStatus::Ok,
        score: None,
        status_asked_at: None,
        low_confidence: true,
        record: TrackRecord::default(),
    };
    SELLERS.iter().map(provider).collect()
}

/// Kind after kind, one pair each.
fn pairs() -> impl Iterator<Item = (Tier, &'static str, &'static str, Use)> {
    KINDS.iter().flat_map(|(count, tier, primary, standby, used)| {
        std::iter::repeat_n((*tier, *primary, *standby, *used), *count)
    })
}

fn account(index: usize) -> AccountId {
    // Four decimal digits are always a well-formed name.
    AccountId::try_from(format!("{:04}", index + 1)).unwrap_or_else(|_| AccountId::from_bits(index as u64, 4))
}

/// The first primaries at Hetzner stand in Nuremberg, and nothing else does; the rest goes round.
fn region(fleet: &Fleet, provider: &str, role: Role, nth: usize) -> Region {
    let offers =
        fleet.providers.get(&ProviderId::from(provider)).map(|provider| &provider.regions[..]).unwrap_or(&[]);
    let (first, others) = match (provider, offers) {
        ("hetzner", [first, others @ ..]) => (Some(first), others),
        (_, all) => (None, all),
    };
    let offer = match first {
        Some(first) if role == Role::Primary && nth < IN_NUREMBERG => Some(first),
        _ => others.get(nth % others.len().max(1)),
    };
    offer.map_or_else(|| Region::from("here"), |offer| offer.region.clone())
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn since(used: Use, now: Timestamp) -> Timestamp {
    now - days(if used == Use::Young { 40 } else { 90 })
}

fn last_activity(used: Use, index: usize, now: Timestamp) -> Timestamp {
    match used {
        Use::Idle => now - days(14 + index as i64 % 20),
        _ => now - SignedDuration::from_mins(index as i64),
    }
}

#[allow(clippy::too_many_arguments, reason = "the parts of one record")]
fn instance(
    fleet: &Fleet,
    account: &AccountId,
    index: usize,
    role: Role,
    tier: Tier,
    provider: &str,
    region: Region,
    now: Timestamp,
) -> Instance {
    let provider = ProviderId::from(provider);
    let number = index as u64 * 2 + u64::from(role == Role::Standby) + 0x1000;
    Instance {
        state: InstanceState::Active,
        state_since: now - days(1),
        monthly_cost: crate::cost::price(fleet, &provider, tier),
        generation: Generation(1),
        channels_on: role == Role::Primary,
        health: Some(Health::of(Observation { http_ok: true, ..Observation::default() }, now)),
        last_boot_ms: Some(9_000),
        active_at: Some(now - days(90)),
        ..Instance::new(
            InstanceId::from_bits(number, 4),
            account.clone(),
            role,
            tier,
            provider,
            region,
            now - days(90),
        )
    }
}
