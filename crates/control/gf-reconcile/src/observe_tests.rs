//! What a node says of an instance, as it is written down.

use super::*;
use crate::decide;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn booting() -> Fleet {
    decide::tests::pair(InstanceState::Bootstrapping, None)
}

fn primary(fleet: &Fleet) -> Instance {
    fleet.instances.values().find(|instance| instance.role == Role::Primary).unwrap().clone()
}

fn heartbeat(fleet: &Fleet, waits_to_boot: bool) -> NodeEvent {
    let primary = primary(fleet);
    let summary = wire::InstanceSummary {
        instance_id: primary.id.to_string(),
        state: wire::InstanceState::Bootstrapping.into(),
        waits_to_boot,
        ..wire::InstanceSummary::default()
    };
    NodeEvent::Changed {
        node: "node-local-a".parse().unwrap(),
        changed: vec![summary],
        gone: Vec::new(),
        at: at(1),
        resources: None,
    }
}

fn take_in(fleet: &mut Fleet, changes: Vec<Change>) -> usize {
    let count = changes.len();
    changes.into_iter().for_each(|change| fleet.apply(change));
    count
}

#[test]
fn that_an_instance_waits_for_a_place_to_boot_is_written_down_once_and_until_it_has_one() {
    let mut fleet = booting();
    let hear = |fleet: &mut Fleet, waits| {
        let changes = observe(fleet, &heartbeat(fleet, waits), at(1), 0);
        take_in(fleet, changes)
    };
    assert_eq!(hear(&mut fleet, true), 1);
    assert!(primary(&fleet).is_waiting_to_boot());
    assert_eq!(hear(&mut fleet, true), 0, "it was told before");
    assert_eq!(hear(&mut fleet, false), 1);
    assert!(!primary(&fleet).is_waiting_to_boot());

    hear(&mut fleet, true);
    let event = wire::Event {
        seq: 1,
        instance_id: primary(&fleet).id.to_string(),
        kind: Some(wire::InstanceStarted { pid: 7, adopted: false }.into()),
        ..wire::Event::default()
    };
    let changes = reported(&fleet, &event, at(2), 0);
    assert_eq!(take_in(&mut fleet, changes), 1, "a start is the end of waiting, before any heartbeat");
    assert!(!primary(&fleet).is_waiting_to_boot());
}

#[test]
fn what_does_not_boot_waits_for_no_place() {
    let mut waiting = primary(&booting());
    waiting.waits_to_boot = true;
    for state in InstanceState::ALL.into_iter().filter(|state| *state != InstanceState::Bootstrapping) {
        waiting.state = state;
        assert!(!waiting.is_waiting_to_boot(), "{state}");
    }
}

#[test]
fn one_that_was_stopped_for_certain_and_starts_with_its_channels_open_is_written_down_as_open() {
    let mut fleet = booting();
    let ready = |channels_open| wire::Event {
        seq: 1,
        instance_id: primary(&booting()).id.to_string(),
        kind: Some(wire::InstanceReady { channels_open, ..wire::InstanceReady::default() }.into()),
        ..wire::Event::default()
    };
    let changes = reported(&fleet, &ready(false), at(1), 0);
    take_in(&mut fleet, changes);
    assert!(!primary(&fleet).channels_on);
    let changes = reported(&fleet, &ready(true), at(2), 0);
    take_in(&mut fleet, changes);
    assert!(primary(&fleet).channels_on);
}
