//! What is kept leads to what a walk over the whole fleet leads to, however the fleet changes.

use super::*;
use crate::{decide::tests::pair, downtime::Meter};
use gf_model::{
    fleet::{Change, Record},
    gateway::{Desired, Gateway, Generation},
    instance::{Instance, InstanceState},
    node::Node,
    snapshot::Snapshot,
};
use proptest::{collection::vec, prelude::*};

const ACCOUNTS: usize = 3;
const EVERY: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
enum Step {
    Instance {
        nth: usize,
        state: InstanceState,
        channels_on: bool,
        node: Option<usize>,
        remembers: Option<usize>,
    },
    NoInstance {
        nth: usize,
    },
    Gateway {
        nth: usize,
        pair: bool,
        swapped: bool,
        standby: bool,
        snapshot: Option<usize>,
    },
    NoGateway {
        nth: usize,
    },
    Node {
        nth: usize,
        connected: bool,
    },
    NoNode {
        nth: usize,
    },
    Snapshot {
        nth: usize,
        at: i64,
        digest: u8,
    },
    NoSnapshot {
        nth: usize,
    },
    /// Somebody looks, so much later.
    Look {
        later: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use InstanceState::{Active, Bootstrapping, Degraded, Failed, Stopped};
    let state = prop_oneof![4 => Just(Active), 1 => prop::sample::select(vec![Degraded, Failed, Stopped, Bootstrapping])];
    let one_of = |n: usize| prop::option::weighted(0.8, 0..n);
    prop_oneof![
        4 => (0..2 * ACCOUNTS, state, prop::bool::weighted(0.8), one_of(2), one_of(4)).prop_map(
            |(nth, state, channels_on, node, remembers)| Step::Instance { nth, state, channels_on, node, remembers }),
        1 => (0..2 * ACCOUNTS).prop_map(|nth| Step::NoInstance { nth }),
        3 => (0..ACCOUNTS, prop::bool::weighted(0.8), any::<bool>(), prop::bool::weighted(0.8), one_of(4)).prop_map(
            |(nth, pair, swapped, standby, snapshot)| Step::Gateway { nth, pair, swapped, standby, snapshot }),
        1 => (0..ACCOUNTS).prop_map(|nth| Step::NoGateway { nth }),
        2 => (0..2usize, any::<bool>()).prop_map(|(nth, connected)| Step::Node { nth, connected }),
        1 => (0..2usize).prop_map(|nth| Step::NoNode { nth }),
        2 => (0..4usize, 0..2000i64, 0..2u8).prop_map(|(nth, at, digest)| Step::Snapshot { nth, at, digest }),
        1 => (0..4usize).prop_map(|nth| Step::NoSnapshot { nth }),
        4 => (-100..400i64).prop_map(|later| Step::Look { later }),
    ]
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn account(nth: usize) -> AccountId {
    format!("acct-{nth:04}").parse().unwrap()
}

/// The halves of the `nth` pair are the instances `2 * nth` and `2 * nth + 1`.
fn instance(nth: usize) -> InstanceId {
    format!("i-{nth:04}").parse().unwrap()
}

fn node(nth: usize) -> NodeId {
    format!("node-{nth}").parse().unwrap()
}

fn snapshot(nth: usize) -> SnapshotId {
    format!("snap-{nth}").parse().unwrap()
}

fn change(step: &Step, now: Timestamp) -> Change {
    let fleet = pair(InstanceState::Active, Some(InstanceState::Active));
    match *step {
        Step::Instance { nth, state, channels_on, node: on, remembers } => Instance {
            id: instance(nth),
            account: account(nth / 2),
            state,
            state_since: now,
            channels_on,
            node: on.map(node),
            remembers: remembers.map(snapshot),
            ..fleet.instances[&"i-0001".parse().unwrap()].clone()
        }
        .into(),
        Step::Gateway { nth, pair, swapped, standby, snapshot: newest } => {
            let halves = [instance(2 * nth), instance(2 * nth + 1)];
            let [first, second] = if swapped { [&halves[1], &halves[0]] } else { [&halves[0], &halves[1]] };
            Gateway {
                account: account(nth),
                desired: if pair { Desired::Pair } else { Desired::Archived },
                primary: Some(first.clone()),
                standby: standby.then(|| second.clone()),
                last_snapshot: newest.map(snapshot),
                ..fleet.gateways[&"acct-0001".parse().unwrap()].clone()
            }
            .into()
        }
        Step::Node { nth, connected } => Node {
            id: node(nth),
            provider: "local-a".into(),
            region: "here".into(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected,
            last_change: now,
            software: None,
        }
        .into(),
        Step::Snapshot { nth, at: second, digest } => Snapshot {
            id: snapshot(nth),
            account: account(0),
            instance: instance(0),
            generation: Generation(1),
            taken_at: at(second),
            bytes: 1,
            digest: digest.to_string(),
            location: String::new(),
        }
        .into(),
        Step::NoInstance { nth } => Change::Delete(Key::Instance(instance(nth))),
        Step::NoGateway { nth } => Change::Delete(Key::Gateway(account(nth))),
        Step::NoNode { nth } => Change::Delete(Key::Node(node(nth))),
        Step::NoSnapshot { nth } => Change::Delete(Key::Snapshot(snapshot(nth))),
        Step::Look { .. } => unreachable!("a look changes nothing"),
    }
}

fn key(change: &Change) -> Key {
    match change {
        Change::Put(record) => Record::key(record),
        Change::Delete(key) => key.clone(),
    }
}

proptest! {
    #[test]
    fn what_is_kept_leads_to_what_a_walk_leads_to(steps in vec(step(), 1..80)) {
        let (mut fleet, mut index, mut changed) = (Fleet::default(), Index::default(), Vec::new());
        let (mut meter, mut walking) = (Meter::default(), Meter::default());
        let mut now = at(1_000);
        for step in steps {
            let Step::Look { later } = step else {
                let change = change(&step, now);
                changed.push(key(&change));
                fleet.apply(change);
                continue;
            };
            now = at((now.as_second() + later).max(0));
            index.take_in(&fleet, &changed);
            changed.clear();
            prop_assert_eq!(decide::due_of(&fleet, index.uneasy(), now), decide::due(&fleet, now));
            prop_assert_eq!(
                meter.look(&fleet, index.uneasy(), now),
                walking.look(&fleet, fleet.gateways.keys(), now)
            );
            let all = || fleet.gateways.values();
            let copied = all().filter(|it| memory::copied_at(&fleet, it).is_some_and(|at| memory::is_long_ago(at, now, EVERY)));
            prop_assert_eq!(
                index.copied_long_ago(now, EVERY),
                copied.map(|gateway| &gateway.account).collect::<BTreeSet<_>>()
            );
            let forgetful = all().filter(|it| memory::knows_less(&fleet, it).is_some());
            prop_assert!(index.forgetful().eq(forgetful.map(|gateway| &gateway.account)));
        }
    }
}
