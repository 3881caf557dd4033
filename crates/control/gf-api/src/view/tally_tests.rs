//! However the fleet changes, what is kept equals what is counted anew.

use super::*;
use crate::view::status::fleet_status;
use gf_model::{
    Timestamp,
    fleet::Change,
    gateway::{Desired, Generation},
    node::Node,
    operation::{Operation, OperationState},
    person::Principal,
    verb::TeardownReason,
};
use gf_planner::fixture;
use gf_tools::FleetStatusParams;
use proptest::prelude::*;

/// One thing that happens to a fleet, chosen by numbers.
type Happening = (u8, usize, u8);

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn nth<T>(all: impl ExactSizeIterator<Item = T>, index: usize) -> Option<T> {
    let len = all.len();
    (len > 0).then(|| all.into_iter().nth(index % len)).flatten()
}

fn state(number: u8) -> InstanceState {
    InstanceState::ALL[usize::from(number) % InstanceState::ALL.len()]
}

/// What that changes, if there is anything left that it could happen to.
fn change(fleet: &Fleet, (what, whom, how): Happening) -> Option<Change> {
    match what % 9 {
        0..=2 => {
            let mut instance = nth(fleet.instances.values(), whom)?.clone();
            instance.state = state(how);
            instance.uncertain = how % 5 == 0;
            instance.waits_to_boot = how % 3 == 0;
            instance.flagged = (how % 7 == 0).then(|| "looks odd".to_owned());
            instance.node = (how % 4 != 0).then(|| format!("node-{}", how % 6).parse().unwrap());
            Some(instance.into())
        }
        3 => {
            let mut gateway = nth(fleet.gateways.values(), whom)?.clone();
            std::mem::swap(&mut gateway.primary, &mut gateway.standby);
            gateway.generation = Generation(gateway.generation.0 + 1);
            Some(gateway.into())
        }
        4 => {
            let mut gateway = nth(fleet.gateways.values(), whom)?.clone();
            gateway.standby = None;
            gateway.desired = if how % 2 == 0 { Desired::Archived } else { Desired::Pair };
            Some(gateway.into())
        }
        5 => Some(Change::Delete(match how % 3 {
            0 => Key::Gateway(nth(fleet.gateways.keys(), whom)?.clone()),
            1 => Key::Instance(nth(fleet.instances.keys(), whom)?.clone()),
            _ => Key::Operation(nth(fleet.operations.keys(), whom)?.clone()),
        })),
        6 => {
            let accounts = fleet.gateways.keys().skip(whom % 40).take(3).cloned().collect();
            Some(teardown(how % 4, accounts, how % 5 == 0).into())
        }
        7 => Some(node(how % 6, how % 2 == 0).into()),
        _ => {
            let mut gateway = nth(fleet.gateways.values(), whom)?.clone();
            gateway.tier = gf_model::Tier::ALL[usize::from(how) % gf_model::Tier::ALL.len()];
            Some(gateway.into())
        }
    }
}

fn teardown(number: u8, accounts: Vec<AccountId>, over: bool) -> Operation {
    Operation {
        id: format!("op-{number}").parse().unwrap(),
        verb: Verb::Teardown {
            accounts,
            reason: TeardownReason::Idle,
            archive: true,
            standby_only: number == 3,
        },
        state: if over { OperationState::Done } else { OperationState::Running },
        principal: Principal::Service("test".into()),
        approval: None,
        plan_hash: String::new(),
        stages: Vec::new(),
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: now(),
        finished_at: None,
        error: None,
    }
}

fn node(number: u8, connected: bool) -> Node {
    Node {
        id: format!("node-{number}").parse().unwrap(),
        provider: "local-a".into(),
        region: "here".into(),
        public_key: String::new(),
        enrol_token_sha256: None,
        enrolled_at: Some(now()),
        connected,
        last_change: Timestamp::from_second(1_794_000_000).unwrap(),
        software: None,
    }
}

fn small() -> Fleet {
    let mut fleet = fixture::fleet(now());
    let keep: Vec<_> = fleet.gateways.keys().take(40).cloned().collect();
    fleet.gateways.retain(|account, _| keep.contains(account));
    fleet.instances.retain(|_, instance| keep.contains(&instance.account));
    fleet
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_kept_equals_what_is_counted_anew(
        groups in prop::collection::vec(prop::collection::vec(any::<Happening>(), 1..6), 1..20)
    ) {
        let mut fleet = small();
        let mut tally = Tally::of(&fleet);
        for group in groups {
            let mut keys = Vec::new();
            for happening in group {
                if let Some(change) = change(&fleet, happening) {
                    keys.push(match &change {
                        Change::Put(record) => record.key(),
                        Change::Delete(key) => key.clone(),
                    });
                    fleet.apply(change);
                }
            }
            tally.take_in(&fleet, &keys);
            let look = |tally: &Tally| fleet_status(&fleet, tally, &FleetStatusParams::default(), now()).ok();
            prop_assert_eq!(look(&tally), look(&Tally::of(&fleet)));
        }
    }
}

#[test]
fn the_whole_fleet_and_the_sum_of_its_providers_agree() {
    let fleet = small();
    let tally = Tally::of(&fleet);
    let whole = fleet_status(&fleet, &tally, &FleetStatusParams::default(), now()).ok().unwrap();
    assert_eq!((whole.pairs_total, whole.instances_total), (40, 80));
    assert_eq!(whole.by_provider.iter().map(|it| it.instances).sum::<u64>(), 80);
    assert_eq!(whole.instances_by_state.values().sum::<u64>(), 80);
    assert_eq!(whole.by_tier.iter().map(|it| it.monthly_cost_cents).sum::<i64>(), whole.monthly_cost_cents);
}

#[test]
fn a_primary_that_nobody_hears_and_that_may_serve_on_is_unprotected() {
    let mut fleet = small();
    let account = fleet.gateways.keys().next().unwrap().clone();
    let mut primary = fleet.primary_of(&account).unwrap().clone();
    primary.node = Some("node-1".parse().unwrap());
    fleet.apply(primary.clone().into());
    fleet.apply(node(1, true).into());
    let mut tally = Tally::of(&fleet);
    let told = |fleet: &Fleet, tally: &Tally| {
        let told = fleet_status(fleet, tally, &FleetStatusParams::default(), now()).ok().unwrap();
        let silent = told.alerts.into_iter().find(|alert| alert.text.contains("is silent"));
        (told.unprotected, silent.map(|alert| (alert.subject, alert.text)))
    };
    assert_eq!(told(&fleet, &tally), (0, None));

    let away = node(1, false);
    let key = Key::Node(away.id.clone());
    fleet.apply(away.into());
    tally.take_in(&fleet, [&key]);
    let (unprotected, said) = told(&fleet, &tally);
    let (subject, text) = said.expect("nobody is told");
    assert_eq!((unprotected, subject), (1, account.to_string()));
    assert!(text.contains(primary.id.as_str()) && text.contains("confirmed off"), "{text}");

    fleet.apply(node(1, true).into());
    tally.take_in(&fleet, [&key]);
    assert_eq!(told(&fleet, &tally), (0, None), "it is heard again");
}
