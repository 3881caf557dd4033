//! What follows from what is there: a lost store, a copy that lacks the last operations, and what nobody can know.

use super::*;
use gf_model::{
    NodeId, RevisionId,
    gateway::{Desired, Generation},
    provider::ProviderId,
};
use gf_operations::sighting::SeenNode;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn place(label: &str) -> Place {
    Place {
        id: format!("machine-of-{label}"),
        label: label.parse().unwrap(),
        provider: "hetzner".into(),
        region: "nbg1".into(),
        node: format!("node-{}", &label[2..]).parse().unwrap(),
        endpoint: Some(format!("sim://{label}")),
    }
}

fn running(account: &str, role: Role, generation: u64) -> Running {
    Running {
        account: Some(account.parse().unwrap()),
        role: Some(role),
        state: InstanceState::Active,
        tier: Some(Tier::Pro),
        generation: Generation(generation),
        revision: Some(RevisionId(7)),
        channels_on: role == Role::Primary,
        lease_terms: 4,
        last_boot_ms: Some(900),
        owned: (role == Role::Primary).then(|| json!({"agents": {"name": "x"}})),
    }
}

/// One provider with these instances, each on a node that is connected.
fn seen(instances: &[(&str, Running)]) -> Sighted {
    let places: Vec<Place> = instances.iter().map(|(label, _)| place(label)).collect();
    let node = |place: &Place| {
        let key = SeenNode { key: "ab".repeat(32), software: "0.1.0".into(), provider: "hetzner".into() };
        (place.node.clone(), key)
    };
    Sighted {
        nodes: places.iter().map(node).collect(),
        instances: instances
            .iter()
            .map(|(label, running)| (label.parse().unwrap(), running.clone()))
            .collect(),
        places: [(ProviderId::from("hetzner"), Ok(places))].into(),
    }
}

fn pair() -> [(&'static str, Running); 2] {
    [("i-0001", running("acct-0001", Role::Primary, 3)), ("i-0002", running("acct-0001", Role::Standby, 3))]
}

fn adopted(fleet: &Fleet, seen: &Sighted) -> (Fleet, Adoption) {
    let adoption = plan(fleet, seen, at(0));
    let mut then = fleet.clone();
    adoption.changes.iter().cloned().for_each(|change| then.apply(change));
    (then, adoption)
}

fn names(adoption: &Adoption, what: &str) -> bool {
    adoption.unknown.iter().any(|unknown| unknown.contains(what))
}

#[test]
fn a_lost_store_is_built_anew_from_what_is_there_and_names_what_is_not() {
    let (then, adoption) = adopted(&Fleet::default(), &seen(&pair()));
    let account: AccountId = "acct-0001".parse().unwrap();
    let gateway = &then.gateways[&account];
    assert_eq!(then.primary_of(&account).unwrap().id.as_str(), "i-0001");
    assert_eq!(then.standby_of(&account).unwrap().id.as_str(), "i-0002");
    assert_eq!((gateway.generation, gateway.lease.number, gateway.tier), (Generation(3), 4, Tier::Pro));
    assert_eq!((gateway.revision, &gateway.owned), (Some(RevisionId(7)), &json!({"agents": {"name": "x"}})));
    let instance = &then.instances[&"i-0001".parse().unwrap()];
    assert_eq!((instance.state, instance.uncertain), (InstanceState::Active, false));
    assert_eq!(instance.place.as_deref(), Some("machine-of-i-0001"));
    let node: NodeId = "node-0001".parse().unwrap();
    assert_eq!(then.nodes[&node].public_key, "ab".repeat(32));
    assert_eq!(then.newest_revision(), RevisionId(7), "its number is not given again");
    for what in ["channels and secrets", "what v7 changed", "people besides"] {
        assert!(names(&adoption, what), "{what}: {:?}", adoption.unknown);
    }
    // What was taken in once changes nothing the second time.
    let (_, again) = adopted(&then, &seen(&pair()));
    assert!(again.lines.is_empty() && again.changes.is_empty(), "{again:?}");
}

#[test]
fn a_copy_that_lacks_a_failover_learns_who_serves_and_under_which_generation() {
    let (before, _) = adopted(&Fleet::default(), &seen(&pair()));
    let moved = [
        ("i-0001", running("acct-0001", Role::Standby, 4)),
        ("i-0002", running("acct-0001", Role::Primary, 4)),
    ];
    let (then, adoption) = adopted(&before, &seen(&moved));
    let account = "acct-0001".parse().unwrap();
    assert_eq!(then.primary_of(&account).unwrap().id.as_str(), "i-0002");
    assert_eq!(then.gateways[&account].generation, Generation(4));
    assert_eq!(adoption.lines.len(), 2, "{:?}", adoption.lines);
    assert!(adoption.lines[0].contains("the store says PRIMARY under generation 3"), "{:?}", adoption.lines);
}

#[test]
fn what_came_after_a_copy_is_taken_in_and_what_went_is_let_go() {
    let (before, _) = adopted(&Fleet::default(), &seen(&pair()));
    let new = [("i-0003", running("acct-0002", Role::Primary, 1))];
    let (then, adoption) = adopted(&before, &seen(&new));
    assert_eq!(then.primary_of(&"acct-0002".parse().unwrap()).unwrap().id.as_str(), "i-0003");
    let torn = &then.gateways[&"acct-0001".parse().unwrap()];
    assert_eq!((torn.desired, &torn.primary), (Desired::Archived, &None));
    assert_eq!(then.live_instances().count(), 1);
    assert!(names(&adoption, "where the archive of acct-0001 is"), "{:?}", adoption.unknown);
}

#[test]
fn of_two_that_say_they_are_the_primary_neither_is_believed() {
    let both = [
        ("i-0001", running("acct-0001", Role::Primary, 3)),
        ("i-0002", running("acct-0001", Role::Primary, 3)),
    ];
    let (then, adoption) = adopted(&Fleet::default(), &seen(&both));
    assert!(then.gateways.is_empty());
    assert!(names(&adoption, "neither is believed"), "{:?}", adoption.unknown);
    // A fenced one of an older generation is no doubt.
    let older = [
        ("i-0001", running("acct-0001", Role::Primary, 2)),
        ("i-0002", running("acct-0001", Role::Primary, 3)),
    ];
    let (then, adoption) = adopted(&Fleet::default(), &seen(&older));
    assert_eq!(then.primary_of(&"acct-0001".parse().unwrap()).unwrap().id.as_str(), "i-0002");
    assert!(names(&adoption, "beyond its pair"), "{:?}", adoption.unknown);
}

#[test]
fn what_is_silent_is_named_and_left_as_it_is() {
    let (before, _) = adopted(&Fleet::default(), &seen(&pair()));
    let away =
        Sighted { places: [("hetzner".into(), Err("it is away".to_owned()))].into(), ..Sighted::default() };
    let (then, adoption) = adopted(&before, &away);
    assert_eq!(then, before);
    assert!(names(&adoption, "it is away; the 2 instances"), "{:?}", adoption.unknown);

    let mut silent = seen(&pair());
    silent.instances.clear();
    silent.nodes.clear();
    let (then, adoption) = adopted(&Fleet::default(), &silent);
    assert!(then.instances.is_empty() && names(&adoption, "whose i-0001 at hetzner is"), "{adoption:?}");
    let (then, adoption) = adopted(&before, &silent);
    assert_eq!((then, adoption.lines.len()), (before, 0));
}
