//! The records of a mixed fleet that has been running for a while, as many pairs as one likes.

use crate::{
    catalogue::{MANNERS, Manner},
    chance::Chance,
    driver::{node_of, place_of},
    vault,
};
use gf_model::{
    AccountId, InstanceId, SnapshotId, Tier, Timestamp,
    fleet::{Account, Change, Record},
    gateway::{Fencing, Gateway, Generation},
    health::{Health, Observation},
    instance::{Instance, InstanceState, Role},
    provider::{Provider, ProviderId, TrackRecord},
    snapshot::Snapshot,
};
use std::collections::BTreeMap;

const DAY: u64 = 24 * 3_600;

/// How many of twenty accounts have which tier.
const TIERS: [(u64, Tier); 4] =
    [(10, Tier::Nano), (7, Tier::Standard), (2, Tier::Pro), (1, Tier::Enterprise)];
/// How many of twenty primaries are at which provider, in the catalogue's order.
const SHARES: [u64; 5] = [8, 5, 3, 3, 1];

pub(crate) struct Generator {
    pub chance: Chance,
    pub now: Timestamp,
}

impl Generator {
    pub(crate) fn fleet(&self, pairs: usize) -> Vec<Change> {
        let mut changes = Vec::with_capacity(pairs * 5 + MANNERS.len());
        let mut instances = BTreeMap::<&str, u32>::new();
        for nth in 0..pairs as u64 {
            for change in self.pair(nth) {
                if let Change::Put(Record::Instance(instance)) = &change {
                    let manner = Manner::of(&instance.provider).map_or("", |manner| manner.id);
                    *instances.entry(manner).or_default() += 1;
                }
                changes.push(change);
            }
        }
        changes.extend(MANNERS.iter().map(|manner| self.provider(manner, instances.get(manner.id)).into()));
        changes
    }

    fn ago(&self, seconds: u64) -> Timestamp {
        let then = self.now.as_second() - i64::try_from(seconds).unwrap_or(0);
        Timestamp::from_second(then).unwrap_or(self.now)
    }

    fn pair(&self, nth: u64) -> [Change; 5] {
        let name = nth.to_string();
        let draw = |what: &str, of: u64| self.chance.bits(what, &name, 0) % of;
        let account = account_id(nth);
        let tier = weighted(&TIERS.map(|(share, _)| share), draw("tier", 20));
        let tier = TIERS[tier].1;
        let first = weighted(&SHARES, draw("primary", 20));
        let second = (first + 1 + draw("standby", 4) as usize) % MANNERS.len();
        let created_at = self.ago(20 * DAY + draw("age", 300 * DAY));
        let idle = draw("idle", 100) < 4;
        let quiet = if idle { 15 * DAY + draw("quiet", 20 * DAY) } else { draw("quiet", DAY) };
        let taken_at = self.ago(draw("snapshot", 300));
        let ids = [instance_id(2 * nth), instance_id(2 * nth + 1)];
        let snapshot = SnapshotId::from_bits(self.chance.bits("snapshot id", &name, 0), 12);
        let instance = |role, manner: &Manner, id: &InstanceId| Instance {
            state: InstanceState::Active,
            monthly_cost: manner.price(tier),
            place: Some(place_of(self.chance, &node_of(&ProviderId::from(manner.id), id))),
            generation: Generation(1),
            channels_on: role == Role::Primary,
            health: Some(Health::of(Observation { http_ok: true, ..Observation::default() }, self.now)),
            last_boot_ms: Some(self.chance.between(8_000, 18_000, "boot", id.as_str(), 1)),
            remembers: (role == Role::Standby).then(|| snapshot.clone()),
            active_at: Some(created_at),
            ..Instance::new(
                id.clone(),
                account.clone(),
                role,
                tier,
                ProviderId::from(manner.id),
                manner.region(self.chance.bits("region", id.as_str(), 0)),
                created_at,
            )
        };
        let gateway = Gateway {
            primary: Some(ids[0].clone()),
            standby: Some(ids[1].clone()),
            last_snapshot: Some(snapshot.clone()),
            last_activity: Some(self.ago(quiet)),
            ..Gateway::new(account.clone(), tier, Fencing::Strict, created_at)
        };
        let snapshot = Snapshot {
            location: format!("sim/{account}/{snapshot}"),
            id: snapshot.clone(),
            account: account.clone(),
            instance: ids[0].clone(),
            generation: Generation(1),
            taken_at,
            bytes: vault::bytes(1),
            digest: vault::digest(account.as_str(), 1),
        };
        [
            Account { id: account.clone(), channels: Vec::new(), created_at }.into(),
            gateway.into(),
            instance(Role::Primary, &MANNERS[first], &ids[0]).into(),
            instance(Role::Standby, &MANNERS[second], &ids[1]).into(),
            snapshot.into(),
        ]
    }

    /// The last seven days of a provider, as its manner makes them likely.
    fn provider(&self, manner: &Manner, instances: Option<&u32>) -> Provider {
        let tried = 5 + instances.copied().unwrap_or_default() / 8;
        let share = |of: u64| of * u64::from(manner.failures_per_million) / 1_000_000;
        let failed = share(tried.into()) as u32;
        let average = (manner.provision_ms.0 + manner.provision_ms.1) / 2;
        let calls = 400 * u64::from(tried);
        let record = TrackRecord {
            provisions_tried: tried,
            provisions_failed: failed,
            provision_millis_total: average * u64::from(tried - failed),
            api_calls: calls,
            api_errors: share(calls) / 4,
            uptime_ppm: Some(1_000_000 - manner.failures_per_million / 20),
        };
        Provider { low_confidence: false, record, ..manner.provider() }
    }
}

/// Which of the shares a number below their sum falls into.
fn weighted(shares: &[u64], mut number: u64) -> usize {
    for (place, share) in shares.iter().enumerate() {
        match number.checked_sub(*share) {
            Some(rest) => number = rest,
            None => return place,
        }
    }
    shares.len() - 1
}

fn account_id(nth: u64) -> AccountId {
    let name = format!("{:04}", nth + 1);
    name.parse().unwrap_or_else(|_| AccountId::from_bits(nth, 16))
}

/// Every number has an id of its own, and neighbours do not look alike.
fn instance_id(nth: u64) -> InstanceId {
    const ODD: u64 = 40_503;
    let digits = if nth < 0x1_0000 { 4 } else { 8 };
    let space = if digits == 4 { 0xffff } else { 0xffff_ffff };
    InstanceId::from_bits(nth.wrapping_mul(ODD).wrapping_add(0x1d3b) & space, digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::fleet::Fleet;
    use std::collections::BTreeSet;

    fn generated(pairs: usize) -> Fleet {
        let now = Timestamp::from_second(1_770_000_000).unwrap();
        let mut fleet = Fleet::default();
        Generator { chance: Chance::new(1), now }
            .fleet(pairs)
            .into_iter()
            .for_each(|change| fleet.apply(change));
        fleet
    }

    #[test]
    fn every_pair_is_whole_and_on_two_providers() {
        let fleet = generated(847);
        assert_eq!((fleet.gateways.len(), fleet.instances.len(), fleet.providers.len()), (847, 1_694, 5));
        for account in fleet.gateways.keys() {
            let (primary, standby) = (fleet.primary_of(account).unwrap(), fleet.standby_of(account).unwrap());
            assert_ne!(primary.provider, standby.provider, "{account}");
            assert!(primary.is_active() && primary.channels_on && !standby.channels_on);
            assert_eq!(fleet.newest_snapshot(account).unwrap().instance, primary.id);
        }
    }

    #[test]
    fn tiers_and_providers_are_mixed() {
        let fleet = generated(200);
        let tiers: BTreeSet<_> = fleet.gateways.values().map(|gateway| gateway.tier).collect();
        let providers: BTreeSet<_> = fleet.instances.values().map(|instance| &instance.provider).collect();
        assert_eq!((tiers.len(), providers.len()), (4, 5));
    }

    #[test]
    fn ids_are_many() {
        let ids: BTreeSet<_> = (0..70_000).map(instance_id).collect();
        assert_eq!(ids.len(), 70_000);
    }
}
