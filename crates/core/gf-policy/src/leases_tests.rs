//! Each ruling, and each reason for which the end of a lease is not waited for.

use super::*;
use crate::forbids::tests::{fleet as pair, id};
use gf_model::{channel::AccountChannel, gateway::Generation, node::Node};
use serde_json::json;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn node(name: &str, connected: bool) -> Node {
    Node {
        id: id(name),
        provider: "local-a".into(),
        region: "here".into(),
        public_key: String::new(),
        enrol_token_sha256: None,
        enrolled_at: None,
        connected,
        last_change: NOW,
        software: None,
    }
}

/// A pair on two nodes that both know leases.
fn fleet() -> Fleet {
    let mut fleet = pair();
    fleet.apply(node("node-a", true).into());
    fleet.apply(node("node-b", true).into());
    fleet.instances.get_mut(&id("aa01")).unwrap().node = Some(id("node-a"));
    fleet.instances.get_mut(&id("bb01")).unwrap().node = Some(id("node-b"));
    fleet
}

fn gateway(fleet: &mut Fleet) -> &mut Gateway {
    fleet.gateways.get_mut(&id("0001")).unwrap()
}

fn due(fleet: &Fleet, seconds: i64) -> Option<Terms> {
    let now = NOW + jiff::SignedDuration::from_secs(seconds);
    terms_due(fleet, fleet.gateways.values().next().unwrap(), now, |_| true)
}

/// The same with its standby's node as the witness, confirmed by both.
fn leased() -> Fleet {
    let mut fleet = fleet();
    gateway(&mut fleet).lease = Terms { number: 3, witness: Some(id("bb01")) };
    for instance in fleet.instances.values_mut() {
        instance.lease_terms = 3;
    }
    fleet
}

fn lapse(fleet: &Fleet) -> Result<&str, DoesNotLapse> {
    lapses(fleet, fleet.primary_of(&id("0001")).unwrap()).map(|witness| witness.id.as_str())
}

#[test]
fn the_primary_holds_and_the_standbys_node_is_told_to_witness() {
    let mut fleet = leased();
    let terms = Some((3, Some(id("node-b"))));
    assert_eq!(ruling(&fleet, &id("aa01"), 3), Some(Ruling::Holds { generation: 1, terms }));
    let duty = Ruling::Witnesses { generation: 1, terms: 3, holder: id("node-a") };
    assert_eq!(ruling(&fleet, &id("bb01"), 0), Some(duty));
    // Until it has written that down, the holder keeps the terms that it has.
    fleet.instances.get_mut(&id("bb01")).unwrap().lease_terms = 0;
    assert_eq!(ruling(&fleet, &id("aa01"), 2), Some(Ruling::Holds { generation: 1, terms: None }));
}

#[test]
fn what_does_not_lapse_is_told_so_once() {
    let mut fleet = leased();
    gateway(&mut fleet).lease = Terms { number: 4, witness: None };
    let told = Some(Ruling::Holds { generation: 1, terms: Some((4, None)) });
    assert_eq!(ruling(&fleet, &id("aa01"), 3), told);
    assert_eq!(ruling(&fleet, &id("aa01"), 4), None);
    assert_eq!(ruling(&fleet, &id("bb01"), 3), None);
}

#[test]
fn nothing_is_renewed_once_the_generation_is_raised_or_it_is_fenced() {
    let mut fleet = leased();
    gateway(&mut fleet).generation = Generation(2);
    assert_eq!(ruling(&fleet, &id("aa01"), 3), None);
    let mut fleet = leased();
    fleet.instances.get_mut(&id("aa01")).unwrap().state = InstanceState::Stopped;
    assert_eq!(ruling(&fleet, &id("aa01"), 3), None);
}

#[test]
fn a_lease_lapses_only_by_terms_that_its_node_confirmed_and_under_a_raised_generation() {
    let mut fleet = leased();
    assert_eq!(lapse(&fleet), Err(DoesNotLapse::SameGeneration));
    gateway(&mut fleet).generation = Generation(2);
    assert_eq!(lapse(&fleet), Ok("i-bb01"));
    fleet.instances.get_mut(&id("aa01")).unwrap().lease_terms = 2;
    assert_eq!(lapse(&fleet), Err(DoesNotLapse::NotConfirmed));
    gateway(&mut fleet).lease.witness = None;
    assert_eq!(lapse(&fleet), Err(DoesNotLapse::NoWitness));
    gateway(&mut fleet).fencing = Fencing::Available;
    assert_eq!(lapse(&fleet), Err(DoesNotLapse::Available));
}

#[test]
fn terms_follow_the_standby_and_never_change_while_the_pair_moves() {
    let mut fleet = fleet();
    assert_eq!(due(&fleet, 0), Some(Terms { number: 1, witness: Some(id("bb01")) }));
    gateway(&mut fleet).generation = Generation(2);
    assert_eq!(due(&fleet, 0), None);

    let mut fleet = leased();
    assert_eq!(due(&fleet, 0), None);
    fleet.instances.get_mut(&id("bb01")).unwrap().state = InstanceState::Degraded;
    assert_eq!(due(&fleet, 0), None, "what is sick for a moment is a witness still");
    fleet.instances.get_mut(&id("bb01")).unwrap().state = InstanceState::Failed;
    assert_eq!(due(&fleet, 0), Some(Terms { number: 4, witness: None }));
}

#[test]
fn nobody_is_a_witness_who_is_away_on_the_same_node_or_of_an_available_pair() {
    let mut fleet = leased();
    fleet.apply(node("node-b", false).into());
    assert_eq!(due(&fleet, 59), None);
    assert_eq!(due(&fleet, 60), Some(Terms { number: 4, witness: None }));

    let mut same = self::fleet();
    same.instances.get_mut(&id("bb01")).unwrap().node = Some(id("node-a"));
    assert_eq!(due(&same, 0), None);
    let mut available = self::fleet();
    gateway(&mut available).fencing = Fencing::Available;
    assert_eq!(due(&available, 0), None);
}

#[test]
fn who_serves_on_unheard_and_cannot_be_passed_is_unprotected() {
    let is = |fleet: &Fleet| is_unprotected(fleet, fleet.gateways.values().next().unwrap());
    let mut fleet = leased();
    assert!(!is(&fleet));
    fleet.apply(node("node-a", false).into());
    assert!(!is(&fleet), "its lease ends by itself");
    gateway(&mut fleet).fencing = Fencing::Available;
    assert!(is(&fleet));
}

#[test]
fn only_webhooks_may_serve_on_unheard() {
    let channel = |kind: &str, settings| AccountChannel { kind: kind.into(), secret: None, settings };
    let polling = channel("telegram", json!({}));
    let webhook = channel("telegram", json!({"webhookUrl": "https://example.org/t"}));
    let slack = channel("slack", json!({"mode": "http"}));
    assert_eq!(default_fencing([&webhook, &slack]), Fencing::Available);
    assert_eq!(default_fencing([&webhook, &polling]), Fencing::Strict);
    assert_eq!(default_fencing([&channel("slack", json!({"mode": "socket"}))]), Fencing::Strict);
    assert_eq!(default_fencing([]), Fencing::Strict);
}
