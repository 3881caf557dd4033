//! What is written down for the leases of one pair.

use super::*;
use crate::decide::tests::{change, pair};
use gf_model::{
    gateway::{Failover, Fencing, Generation},
    instance::{
        Instance,
        InstanceState::{Active, Failed},
    },
    node::Node,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A pair that serves, its halves on two nodes, the primary's last heard of at 100.
fn fleet(connected: bool) -> Fleet {
    let mut fleet = pair(Active, Some(Active));
    change(&mut fleet, "i-0001", |primary| primary.channels_on = true);
    change(&mut fleet, "i-0002", |standby| standby.node = Some("node-local-b".parse().unwrap()));
    for (name, connected) in [("node-local-a", connected), ("node-local-b", true)] {
        let node = Node {
            id: name.parse().unwrap(),
            provider: "local-a".into(),
            region: "here".into(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected,
            last_change: at(100),
            software: None,
        };
        fleet.apply(node.into());
    }
    fleet
}

/// Applies what is due and says how much that was.
fn settle(fleet: &mut Fleet, now: i64, able: bool) -> usize {
    let due = changes(fleet, at(now), |_| able, 7);
    let count = due.len();
    due.into_iter().for_each(|change| fleet.apply(change));
    count
}

fn gateway(fleet: &Fleet) -> &Gateway {
    fleet.gateways.values().next().unwrap()
}

#[test]
fn a_witness_is_named_once_and_dropped_with_its_standby() {
    let mut fleet = fleet(true);
    assert_eq!(settle(&mut fleet, 100, false), 0, "nodes that know no leases are left alone");
    assert_eq!(settle(&mut fleet, 100, true), 1);
    assert_eq!(gateway(&fleet).lease.witness, Some("i-0002".parse().unwrap()));
    assert_eq!(settle(&mut fleet, 100, true), 0);
    change(&mut fleet, "i-0002", |standby| standby.state = Failed);
    assert_eq!(settle(&mut fleet, 100, true), 1);
    assert_eq!((gateway(&fleet).lease.number, &gateway(&fleet).lease.witness), (2, &None));
}

#[test]
fn a_primary_that_recovered_before_it_was_fenced_serves_under_a_generation_of_its_own() {
    let mut fleet = fleet(true);
    fleet.gateways.values_mut().for_each(|gateway| gateway.generation = Generation(2));
    assert_eq!(settle(&mut fleet, 100, true), 2);
    assert_eq!(gateway(&fleet).generation, Generation(3));
    assert_eq!(fleet.instances[&"i-0001".parse().unwrap()].generation, Generation(3));
}

#[test]
fn a_primary_whose_lease_ended_before_it_was_fenced_gets_its_right_back_when_it_is_heard_of() {
    let mut fleet = fleet(true);
    assert_eq!(settle(&mut fleet, 100, true), 1, "the witness is named");
    let terms = gateway(&fleet).lease.number;
    change(&mut fleet, "i-0001", |primary| {
        primary.lease_terms = terms;
        primary.channels_on = false;
    });
    assert_eq!(settle(&mut fleet, 100, true), 0, "nothing was raised: the next heartbeat renews it");
    fleet.gateways.values_mut().for_each(|gateway| gateway.generation = Generation(2));
    let node: NodeId = "node-local-a".parse().unwrap();
    let mut silent = fleet.clone();
    silent.apply(Node { connected: false, ..fleet.nodes[&node].clone() }.into());
    assert_eq!(settle(&mut silent, 101, true), 0, "while it is silent its pair may still be moved");
    let id: InstanceId = "i-0001".parse().unwrap();
    let mut promoted = fleet.clone();
    promoted.gateways.values_mut().for_each(|gateway| {
        gateway.last_failover = Some(Failover {
            at: at(100),
            from: "i-0002".parse().unwrap(),
            to: id.clone(),
            generation: Generation(2),
            reason: String::new(),
            took_ms: 0,
            rpo_seconds: None,
        });
    });
    assert_eq!(settle(&mut promoted, 101, true), 0, "its operation gives it its channels");
    assert_eq!(settle(&mut fleet, 101, true), 2);
    assert_eq!(gateway(&fleet).generation, Generation(3));
    assert_eq!(fleet.instances[&id].generation, Generation(3));
}

#[test]
fn a_pair_that_nobody_could_take_over_is_told_once_for_each_silence() {
    let mut fleet = fleet(false);
    fleet.gateways.values_mut().for_each(|gateway| gateway.fencing = Fencing::Available);
    assert_eq!(settle(&mut fleet, 129, true), 0);
    assert_eq!(settle(&mut fleet, 130, true), 1);
    let notice = fleet.notices.values().next().unwrap();
    assert!(notice.text.starts_with("UNPROTECTED: the node of i-0001"), "{}", notice.text);
    assert_eq!(settle(&mut fleet, 200, true), 0);
}

#[test]
fn many_pairs_that_fall_silent_together_are_told_of_together() {
    let mut fleet = fleet(false);
    let (gateway, primary) = (gateway(&fleet).clone(), fleet.instances[&"i-0001".parse().unwrap()].clone());
    let standby = fleet.instances[&"i-0002".parse().unwrap()].clone();
    for nth in 1..=ONE_BY_ONE {
        let account: gf_model::AccountId = format!("acct-1{nth:03}").parse().unwrap();
        let id = |half: &str| -> InstanceId { format!("i-{half}{nth:03}").parse().unwrap() };
        let (primary_id, standby_id) = (id("a"), id("b"));
        fleet.apply(Instance { id: primary_id.clone(), account: account.clone(), ..primary.clone() }.into());
        fleet.apply(Instance { id: standby_id.clone(), account: account.clone(), ..standby.clone() }.into());
        let (primary, standby) = (Some(primary_id), Some(standby_id));
        fleet.apply(Gateway { account, primary, standby, ..gateway.clone() }.into());
    }
    assert_eq!(settle(&mut fleet, 130, false), 1);
    let notice = fleet.notices.values().next().unwrap();
    assert!(notice.text.contains(&format!("{} primaries", ONE_BY_ONE + 1)), "{}", notice.text);
    assert_eq!(settle(&mut fleet, 140, false), 0);
    // When most are heard of again, the others are named.
    let heard: Vec<_> = fleet.gateways.keys().skip(2).cloned().collect();
    for account in heard {
        fleet.gateways.remove(&account);
    }
    assert_eq!(settle(&mut fleet, 150, false), 2);
}
