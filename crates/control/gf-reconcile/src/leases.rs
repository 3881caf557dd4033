//! Keeps the terms of the pairs' leases: who is the witness, what is written down of a primary that recovered in the middle
//! of a move, and that somebody is told of a pair that serves on where nobody could take over.
//!
//! It grants nothing: what stands here is what the hub's answers follow.

use crate::Reconcilers;
use gf_model::{
    InstanceId, NodeId, NoticeId, Timestamp,
    fleet::{Change, Fleet},
    gateway::{Desired, Gateway},
    lease,
    notice::{Notice, Recipient, Severity},
};
use gf_policy::leases::{is_unprotected, terms_due};
use serde_json::json;

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
            changes.extend(told(fleet, gateway, now, bits));
        }
    }
    changes
}

/// Whether the generation was raised and the primary was never moved: its fence failed, and it serves on.
fn serves_behind(fleet: &Fleet, gateway: &Gateway) -> bool {
    let primary = fleet.primary_of(&gateway.account);
    primary.is_some_and(|primary| {
        primary.channels_on && primary.is_active() && primary.generation < gateway.generation
    })
}

/// It keeps its place, under a generation that no plan of before knows.
fn taken_back(fleet: &Fleet, gateway: &Gateway) -> Vec<Change> {
    let Some(primary) = fleet.primary_of(&gateway.account) else { return Vec::new() };
    let (mut gateway, mut primary) = (gateway.clone(), primary.clone());
    gateway.generation = gateway.generation.next();
    primary.generation = gateway.generation;
    vec![gateway.into(), primary.into()]
}

/// Once for each time that its node fell silent.
fn told(fleet: &Fleet, gateway: &Gateway, now: Timestamp, bits: u64) -> Option<Change> {
    let standby = fleet.standby_of(&gateway.account).filter(|standby| standby.is_active());
    if gateway.desired != Desired::Pair || standby.is_none() || !is_unprotected(fleet, gateway) {
        return None;
    }
    let primary = fleet.primary_of(&gateway.account).filter(|primary| primary.channels_on)?;
    let node = fleet.nodes.get(primary.node.as_ref()?)?;
    let silent = now.duration_since(node.last_change).as_secs();
    let key = key(&primary.id, node.last_change);
    if silent < lease::LASTS.as_secs() as i64 || fleet.notices.values().any(|notice| notice.key == key) {
        return None;
    }
    let account = &gateway.account;
    let text = format!(
        "UNPROTECTED: the node of {}, the primary of {account}, is silent. It may serve on, and its standby takes over \
         only once somebody confirms that it is off.",
        primary.id
    );
    Some(
        Notice {
            id: NoticeId::from_bits(bits ^ gateway_bits(gateway), 8),
            key,
            recipient: Recipient::Operators,
            severity: Severity::Warning,
            text,
            look_at: Some(format!("gf_pair_status {}", json!({ "accountId": account }))),
            created_at: now,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        }
        .into(),
    )
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
