//! Keeps the terms of the pairs' leases: who is the witness, what is written down of a primary that recovered in the middle
//! of a move, and that somebody is told of a pair that serves on where nobody could take over.
//!
//! It grants nothing: what stands here is what the hub's answers follow.

use crate::Reconcilers;
use gf_model::{
    InstanceId, NodeId, NoticeId, Timestamp,
    fleet::{Change, Fleet},
    gateway::{Desired, Gateway},
    instance::Instance,
    lease,
    notice::{Notice, Recipient, Severity},
};
use gf_policy::leases::{is_unprotected, terms_due};
use serde_json::json;
use std::collections::HashSet;

/// Pairs that are told of each by itself at once.
const ONE_BY_ONE: usize = 20;

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    loop {
        tokio::time::sleep(all.cadence.leases).await;
        let now = hands.clock.now();
        let bits = hands.entropy.next_u64();
        let able = |node: &NodeId| hands.hub.can_witness(node);
        let due = |fleet: &Fleet| changes(fleet, now, able, bits);
        if hands.store.read(|fleet| due(fleet).is_empty()) {
            continue;
        }
        let write = hands.store.update(|fleet, tx| due(fleet).into_iter().for_each(|change| tx.put(change)));
        if let Err(error) = write.await {
            tracing::error!(%error, "the terms of leases could not be written down; trying again");
        }
    }
}

/// What is due for the whole fleet.
pub fn changes(fleet: &Fleet, now: Timestamp, able: impl Fn(&NodeId) -> bool, bits: u64) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut held = None;
    let mut unheard = Vec::new();
    // In a fleet where every node is heard nobody needs to be told of any pair.
    let somebody_is_silent = fleet.nodes.values().any(|node| !node.connected);
    for gateway in fleet.gateways.values() {
        if let Some(terms) = terms_due(fleet, gateway, now, &able) {
            changes.push(Gateway { lease: terms, ..gateway.clone() }.into());
        } else if serves_behind(fleet, gateway) {
            let held = held.get_or_insert_with(|| gf_operations::held(fleet));
            if !held.contains_key(gateway.account.as_str()) {
                changes.extend(taken_back(fleet, gateway));
            }
        }
        if somebody_is_silent {
            unheard.extend(Unheard::of(fleet, gateway, now));
        }
    }
    changes.extend(told(fleet, unheard, now, bits));
    changes
}

/// Whether the generation was raised and the primary was never moved: its fence failed, and it serves on, or would if its
/// lease had not ended meanwhile, which nobody renews under the old generation.
fn serves_behind(fleet: &Fleet, gateway: &Gateway) -> bool {
    let primary = fleet
        .primary(gateway)
        .filter(|primary| primary.is_active() && primary.generation < gateway.generation);
    primary.is_some_and(|primary| primary.channels_on || may_have_lapsed(fleet, gateway, primary))
}

/// Whether this primary's channels may be closed for no other reason than that its lease is over, and its node can be
/// granted one again. What was promoted under this very generation has its own way to its channels.
fn may_have_lapsed(fleet: &Fleet, gateway: &Gateway, primary: &Instance) -> bool {
    let is_heard = |node: &NodeId| fleet.nodes.get(node).is_some_and(|node| node.connected);
    let promoted = gateway.last_failover.as_ref().is_some_and(|last| last.generation == gateway.generation);
    primary.lease_terms > 0 && !promoted && primary.node.as_ref().is_some_and(is_heard)
}

/// It keeps its place, under a generation that no plan of before knows.
fn taken_back(fleet: &Fleet, gateway: &Gateway) -> Vec<Change> {
    let Some(primary) = fleet.primary(gateway) else { return Vec::new() };
    let (mut gateway, mut primary) = (gateway.clone(), primary.clone());
    gateway.generation = gateway.generation.next();
    primary.generation = gateway.generation;
    vec![gateway.into(), primary.into()]
}

/// A pair from which nobody could take over, and whose primary is not heard of.
struct Unheard<'a> {
    gateway: &'a Gateway,
    primary: &'a InstanceId,
    /// Stands for this silence.
    key: String,
}

impl<'a> Unheard<'a> {
    fn of(fleet: &'a Fleet, gateway: &'a Gateway, now: Timestamp) -> Option<Self> {
        let standby = fleet.standby(gateway).filter(|standby| standby.is_active());
        if gateway.desired != Desired::Pair || standby.is_none() || !is_unprotected(fleet, gateway) {
            return None;
        }
        let primary = fleet.primary(gateway).filter(|primary| primary.channels_on)?;
        let since = fleet.nodes.get(primary.node.as_ref()?)?.last_change;
        let long = now.duration_since(since).as_secs() >= lease::LASTS.as_secs() as i64;
        long.then(|| Self { gateway, primary: &primary.id, key: key(&primary.id, since) })
    }
}

/// Once for each time that a node fell silent. Of many at once it is said how many, once an hour: when a whole fleet is not
/// heard of, each by itself would be a storm.
fn told(fleet: &Fleet, mut unheard: Vec<Unheard<'_>>, now: Timestamp, bits: u64) -> Vec<Change> {
    if unheard.is_empty() {
        return Vec::new();
    }
    let known: HashSet<&str> = fleet.notices.values().map(|notice| notice.key.as_str()).collect();
    unheard.retain(|one| !known.contains(one.key.as_str()));
    if unheard.len() <= ONE_BY_ONE {
        return unheard.into_iter().map(|one| of_one(one, now, bits)).collect();
    }
    let key = format!("unprotected:many:{}", now.as_second() / 3600);
    if known.contains(key.as_str()) {
        return Vec::new();
    }
    let text = format!(
        "UNPROTECTED: the nodes of {} primaries are silent, such as that of {}. They may serve on, and their standbys take \
         over only once somebody confirms that they are off.",
        unheard.len(),
        unheard[0].primary
    );
    vec![notice(NoticeId::from_bits(bits, 8), key, text, "gf_fleet_status {}".to_owned(), now).into()]
}

fn of_one(one: Unheard<'_>, now: Timestamp, bits: u64) -> Change {
    let Unheard { gateway, primary, key } = one;
    let account = &gateway.account;
    let text = format!(
        "UNPROTECTED: the node of {primary}, the primary of {account}, is silent. It may serve on, and its standby takes \
         over only once somebody confirms that it is off."
    );
    let look_at = format!("gf_pair_status {}", json!({ "accountId": account }));
    notice(NoticeId::from_bits(bits ^ gateway_bits(gateway), 8), key, text, look_at, now).into()
}

fn notice(id: NoticeId, key: String, text: String, look_at: String, now: Timestamp) -> Notice {
    Notice {
        id,
        key,
        recipient: Recipient::Operators,
        severity: Severity::Warning,
        text,
        look_at: Some(look_at),
        created_at: now,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    }
}

fn key(primary: &InstanceId, since: Timestamp) -> String {
    format!("unprotected:{primary}:{}", since.as_millisecond())
}

/// Several pairs may be told of in one write.
fn gateway_bits(gateway: &Gateway) -> u64 {
    let mut bits: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in gateway.account.as_str().bytes() {
        bits = (bits ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    bits
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
