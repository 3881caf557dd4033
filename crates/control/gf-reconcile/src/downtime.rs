//! Notes when an account was not served, and that somebody looked: what its service in a month is worked out from.
//!
//! What people ordered is maintenance and told apart. Everything that lasts is written down once a minute, together with
//! the time until when that is all there was to note: what a control plane that ended had not written yet is unknown,
//! and so is the time in which it did not run. It must never move that time past what is durable.

use crate::{Reconcilers, incidents::is_served, looks::Looks, pairs::Pairs};
use gf_model::{
    AccountId, Timestamp,
    fleet::{Change, Fleet, Once},
    gateway::{Desired, Gateway},
    operation::Operation,
    person::Principal,
    served::{Lapse, LapseKind, ServiceLog, Watch, second},
};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What lasts is written down this often.
const WRITE_DOWN_SECONDS: i64 = 60;
/// Whoever looked less often than this was held up, and saw nothing in between.
const HELD_UP_SECONDS: i64 = 150;

/// What was seen since a control plane began to look.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Since when what lasts has not been written down, of each account that is not served.
    since: BTreeMap<AccountId, (LapseKind, Timestamp)>,
    /// Accounts of which it is written down that they have an archive and nothing else.
    archived: BTreeSet<AccountId>,
    /// When all was written down last; `None` before the first look.
    all_noted: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
enum Note {
    NotServed(Lapse),
    /// After it had an archive and nothing else.
    ServedAgain,
}

/// What a look has to write down.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Noted {
    notes: Vec<(AccountId, Note)>,
    /// Where this is all there is until now: whether somebody looked all the time since that was so last.
    all: Option<bool>,
}

pub(crate) async fn run(all: Reconcilers, pairs: Pairs) {
    let hands = all.engine.hands();
    let mut looks = Looks::new(&hands.store, all.cadence.sweep);
    let mut meter = Meter::default();
    loop {
        let now = second(hands.clock.now());
        let (noted, new_month) = looks.look(|fleet| {
            let noted = pairs.look(fleet, |index| meter.look(fleet, index.uneasy(), now));
            (noted, begins_a_month(fleet, now))
        });
        if noted != Noted::default() || new_month.is_some() {
            let write = hands.store.update(|fleet, tx| {
                written_down(fleet, noted, new_month, now).into_iter().for_each(|change| tx.put(change));
            });
            if let Err(error) = write.await {
                tracing::error!(%error, "who was not served could not be written down");
                // It is not known, then: the next look is like the first.
                meter = Meter::default();
            }
        }
        if !looks.next().await {
            return;
        }
    }
}

fn written_down(fleet: &Fleet, noted: Noted, new_month: Option<String>, now: Timestamp) -> Vec<Change> {
    let mut logs: BTreeMap<&AccountId, ServiceLog> = BTreeMap::new();
    let mut down: BTreeMap<&AccountId, u64> = BTreeMap::new();
    for (account, note) in &noted.notes {
        let log = logs.entry(account).or_insert_with(|| ServiceLog::of(fleet, account));
        match note {
            Note::ServedAgain => log.is_served_again(now),
            Note::NotServed(lapse) => log.note(*lapse, now),
        }
        if let Note::NotServed(Lapse { kind: LapseKind::Down, from, to: Some(to) }) = note {
            *down.entry(account).or_default() += to.duration_since(*from).as_secs().unsigned_abs();
        }
    }
    let mut changes: Vec<Change> =
        logs.into_iter().map(|(account, log)| log.kept(account, now).into()).collect();
    if let Some(looked) = noted.all {
        let mut watch = Watch::of(fleet).unwrap_or_else(|| Watch::begun(now));
        watch.goes_on(now, looked);
        changes.push(watch.kept(now).into());
    }
    let begins = new_month.is_some();
    let every = fleet.gateways.values().filter(|_| begins);
    let some = down.keys().filter(|_| !begins).filter_map(|account| fleet.gateways.get(*account));
    for gateway in every.chain(some) {
        let before = if begins { 0 } else { gateway.down_seconds_month };
        let after = before + down.get(&gateway.account).copied().unwrap_or(0);
        if after != gateway.down_seconds_month {
            changes.push(Gateway { down_seconds_month: after, ..gateway.clone() }.into());
        }
    }
    if let Some(key) = new_month {
        changes.push(Once { key, at: now, answer: json!(null) }.into());
    }
    changes
}

impl Meter {
    /// What is to be written down now. `uneasy` are those accounts, at least, that may not be served.
    pub(crate) fn look<'a>(
        &mut self,
        fleet: &Fleet,
        uneasy: impl Iterator<Item = &'a AccountId>,
        now: Timestamp,
    ) -> Noted {
        let passed = self.all_noted.map(|last| now.duration_since(last).as_secs());
        let looked = passed.is_some_and(|seconds| seconds < HELD_UP_SECONDS);
        let all = passed.is_none_or(|seconds| seconds.abs() >= WRITE_DOWN_SECONDS);
        let mut notes = Vec::new();
        if !looked {
            self.since.clear();
        }
        // Whoever is torn down was without service before.
        let should_be_served = |account: &&AccountId| {
            fleet.gateways.get(*account).is_some_and(|gateway| gateway.desired == Desired::Pair)
        };
        let uneasy = uneasy.filter(should_be_served);
        let mut accounts: BTreeSet<AccountId> = uneasy.cloned().chain(self.since.keys().cloned()).collect();
        if self.all_noted.is_none() {
            let is_archived = |account: &&AccountId| ServiceLog::of(fleet, account).is_archived();
            self.archived = fleet.gateways.keys().filter(is_archived).cloned().collect();
            let archived = fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Archived);
            accounts.extend(archived.map(|gateway| gateway.account.clone()));
        }
        let is_back = |account: &AccountId| should_be_served(&account);
        notes.extend(self.archived.extract_if(.., is_back).map(|account| (account, Note::ServedAgain)));
        let held = if accounts.is_empty() { BTreeMap::new() } else { gf_operations::held(fleet) };
        for gateway in accounts.iter().filter_map(|account| fleet.gateways.get(account)) {
            let lapses = self.look_at(gateway, lapse_of(fleet, &held, gateway), now, all);
            notes.extend(lapses.map(|lapse| (gateway.account.clone(), Note::NotServed(lapse))));
        }
        self.since.retain(|account, _| fleet.gateways.contains_key(account));
        if all {
            self.all_noted = Some(now);
        }
        Noted { notes, all: all.then_some(looked) }
    }

    fn look_at(
        &mut self,
        gateway: &Gateway,
        kind: Option<LapseKind>,
        now: Timestamp,
        all: bool,
    ) -> impl Iterator<Item = Lapse> + use<> {
        let account = &gateway.account;
        let open = self.since.get(account).copied();
        let lasts = open.is_some_and(|(was, _)| Some(was) == kind);
        let ended = open.filter(|(_, from)| (!lasts || all) && *from < now);
        let begun = (kind == Some(LapseKind::Archived) && self.archived.insert(account.clone()))
            .then_some(Lapse { kind: LapseKind::Archived, from: now, to: None });
        match kind.filter(|kind| *kind != LapseKind::Archived) {
            // What began later than now began under another clock.
            Some(kind) if !lasts || ended.is_some() || open.is_some_and(|(_, from)| from > now) => {
                self.since.insert(account.clone(), (kind, now));
            }
            Some(_) => {}
            None => {
                self.since.remove(account);
            }
        }
        let ended = ended.map(|(kind, from)| Lapse { kind, from, to: Some(now) });
        ended.into_iter().chain(begun)
    }
}

/// Why it is not served now.
fn lapse_of(fleet: &Fleet, held: &BTreeMap<&str, &Operation>, gateway: &Gateway) -> Option<LapseKind> {
    match gateway.desired {
        Desired::Archived => Some(LapseKind::Archived),
        Desired::Pair if is_served(fleet.primary(gateway)) => None,
        Desired::Pair if is_under_maintenance(held, gateway) => Some(LapseKind::Planned),
        Desired::Pair => Some(LapseKind::Down),
    }
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
#[path = "downtime_tests.rs"]
mod tests;
