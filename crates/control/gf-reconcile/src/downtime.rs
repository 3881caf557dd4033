//! Counts the seconds of the month in which nobody served an account; what people ordered is maintenance and apart.
//!
//! Beginnings are kept in memory and added up at least once a minute: a control plane that ends loses no more of a
//! gateway's downtime than that, and the time in which it does not run itself is not counted.

use crate::{Reconcilers, incidents::is_served, looks::Looks, pairs::Pairs};
use gf_model::{
    AccountId, Timestamp,
    fleet::{Fleet, Once},
    gateway::{Desired, Gateway},
    operation::Operation,
    person::Principal,
};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Downtime that lasts is added up this often.
const ADD_UP_SECONDS: i64 = 60;

/// Since when each account that is down has not been counted.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    down_since: BTreeMap<AccountId, Timestamp>,
}

pub(crate) async fn run(all: Reconcilers, pairs: Pairs) {
    let hands = all.engine.hands();
    let mut looks = Looks::new(&hands.store, all.cadence.sweep);
    let mut meter = Meter::default();
    loop {
        let now = hands.clock.now();
        let (due, new_month) = looks.look(|fleet| {
            let due = pairs.look(fleet, |index| meter.look(fleet, index.uneasy(), now));
            (due, begins_a_month(fleet, now))
        });
        if !due.is_empty() || new_month.is_some() {
            let write = hands.store.update(|fleet, tx| {
                let all = fleet.gateways.values().filter(|_| new_month.is_some());
                let down = due.keys().filter(|_| new_month.is_none());
                for gateway in all.chain(down.filter_map(|account| fleet.gateways.get(account))) {
                    let mut counted = gateway.clone();
                    if new_month.is_some() {
                        counted.down_seconds_month = 0;
                    }
                    counted.down_seconds_month += due.get(&gateway.account).copied().unwrap_or(0);
                    if counted != *gateway {
                        tx.put(counted);
                    }
                }
                if let Some(key) = &new_month {
                    tx.put(Once { key: key.clone(), at: now, answer: json!(null) });
                }
            });
            if let Err(error) = write.await {
                tracing::error!(%error, "downtime could not be written down");
            }
        }
        if !looks.next().await {
            return;
        }
    }
}

impl Meter {
    /// Seconds to be added now, by account. `uneasy` are those accounts, at least, that may be down.
    pub(crate) fn look<'a>(
        &mut self,
        fleet: &Fleet,
        uneasy: impl Iterator<Item = &'a AccountId>,
        now: Timestamp,
    ) -> BTreeMap<AccountId, u64> {
        let mut due = BTreeMap::new();
        let accounts: BTreeSet<AccountId> = uneasy.cloned().chain(self.down_since.keys().cloned()).collect();
        if accounts.is_empty() {
            return due;
        }
        let held = gf_operations::held(fleet);
        for gateway in accounts.iter().filter_map(|account| fleet.gateways.get(account)) {
            let account = &gateway.account;
            if is_down(fleet, &held, gateway) {
                let since = *self.down_since.entry(account.clone()).or_insert(now);
                if now.duration_since(since).as_secs() < ADD_UP_SECONDS {
                    continue;
                }
                self.down_since.insert(account.clone(), now);
                add(&mut due, account, since, now);
            } else if let Some(since) = self.down_since.remove(account) {
                add(&mut due, account, since, now);
            }
        }
        self.down_since.retain(|account, _| fleet.gateways.contains_key(account));
        due
    }
}

fn add(due: &mut BTreeMap<AccountId, u64>, account: &AccountId, since: Timestamp, now: Timestamp) {
    // Rounded to whole seconds; what is shorter than half of one is no downtime.
    let seconds = (now.duration_since(since).as_millis().max(0) + 500) / 1000;
    if seconds > 0 {
        due.insert(account.clone(), seconds as u64);
    }
}

/// It should be served, is not, and nobody ordered what it goes through.
fn is_down(fleet: &Fleet, held: &BTreeMap<&str, &Operation>, gateway: &Gateway) -> bool {
    gateway.desired == Desired::Pair
        && !is_served(fleet.primary_of(&gateway.account))
        && !is_under_maintenance(held, gateway)
}

fn is_under_maintenance(held: &BTreeMap<&str, &Operation>, gateway: &Gateway) -> bool {
    let mut names =
        std::iter::once(gateway.account.as_str()).chain(gateway.primary.as_ref().map(|id| id.as_str()));
    names.any(|name| {
        held.get(name).is_some_and(|operation| !matches!(operation.principal, Principal::Service(_)))
    })
}

/// The mark of a month that has just begun.
fn begins_a_month(fleet: &Fleet, now: Timestamp) -> Option<String> {
    let key = month_key(now);
    (!fleet.once.contains_key(&key)).then_some(key)
}

pub(crate) fn month_key(now: Timestamp) -> String {
    format!("downtime:{}", now.to_zoned(TimeZone::UTC).strftime("%Y-%m"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::{change, pair};
    use gf_model::instance::InstanceState;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn served(served: bool) -> Fleet {
        let mut fleet = pair(InstanceState::Active, Some(InstanceState::Active));
        change(&mut fleet, "i-0001", |primary| primary.channels_on = served);
        fleet
    }

    #[test]
    fn downtime_is_added_up_every_minute_and_when_it_ends() {
        let mut meter = Meter::default();
        let mut look = |is_served, second| {
            let fleet = served(is_served);
            meter.look(&fleet, fleet.gateways.keys(), at(second)).values().sum::<u64>()
        };
        assert_eq!(look(false, 0), 0);
        assert_eq!(look(false, 59), 0);
        assert_eq!(look(false, 61), 61);
        assert_eq!(look(true, 70), 9);
        assert_eq!(look(true, 200), 0);
    }

    #[test]
    fn each_month_begins_at_nothing() {
        let (january, february) =
            ("2026-01-31T23:59:59Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
        let mut fleet = served(true);
        let mark = begins_a_month(&fleet, january).unwrap();
        fleet.apply(Once { key: mark, at: january, answer: json!(null) }.into());
        assert_eq!(begins_a_month(&fleet, january), None);
        assert!(begins_a_month(&fleet, february).is_some());
    }
}
