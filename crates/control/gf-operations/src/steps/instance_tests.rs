//! What an order that is repeated may say of an instance, and what it must leave as it was reported.

use super::*;
use InstanceState::{Active, Bootstrapping, Degraded, Failed, StandbyPromoting, Stopped};
use gf_model::{
    Cents,
    gateway::{Gateway, Generation},
};

fn instance(state: InstanceState) -> Instance {
    Instance {
        state,
        monthly_cost: Cents(600),
        generation: Generation(1),
        ..Instance::new(
            "i-0001".parse().unwrap(),
            "acct-0001".parse().unwrap(),
            Role::Primary,
            Tier::Standard,
            "local-a".into(),
            "here".into(),
            at(0),
        )
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn an_order_that_goes_out_for_the_first_time_says_that_it_starts_anew() {
    for state in [Active, Degraded, Failed, Stopped] {
        let mut restarted = instance(state);
        announce(&mut restarted, Bootstrapping, false, at(1));
        assert_eq!((restarted.state, restarted.state_since), (Bootstrapping, at(1)), "{state}");
    }
}

#[test]
fn what_was_reported_after_an_order_outlives_its_repetition_and_its_late_answer() {
    for state in [Degraded, Failed, Stopped, InstanceState::TearingDown] {
        let mut reported = instance(state);
        announce(&mut reported, Bootstrapping, true, at(1));
        came_back(&mut reported, at(2));
        assert_eq!(reported, instance(state));
    }
    // ACTIVE may be from before the order, and will be told to stop.
    let mut serving = instance(Active);
    announce(&mut serving, StandbyPromoting, true, at(1));
    assert_eq!(serving.state, StandbyPromoting);
}

#[test]
fn one_that_nothing_was_heard_of_is_active_with_the_answer() {
    for state in [Bootstrapping, StandbyPromoting] {
        let mut waiting = instance(state);
        came_back(&mut waiting, at(1));
        assert_eq!((waiting.state, waiting.active_at), (Active, Some(at(1))));
    }
}

#[test]
fn what_was_fenced_is_not_started_again() {
    let mut fleet = Fleet::default();
    let gateway = |generation| {
        serde_json::from_value::<Gateway>(json!({
            "account": "acct-0001", "tier": "standard", "desired": "pair", "generation": generation,
            "fencing": "strict", "primary": "i-0002", "standby": "i-0001", "owned": {}, "taken": [],
            "downSecondsMonth": 0, "createdAt": at(0),
        }))
        .unwrap()
    };
    let fenced = Instance { role: Role::Standby, ..instance(Stopped) };
    fleet.apply(gateway(2).into());
    assert!(waits_to_be_replaced(&fleet, &fenced));
    // The primary of a move that did not get so far, a standby that runs, and one of the present generation.
    assert!(!waits_to_be_replaced(&fleet, &instance(Stopped)));
    assert!(!waits_to_be_replaced(&fleet, &Instance { state: Active, ..fenced.clone() }));
    fleet.apply(gateway(1).into());
    assert!(!waits_to_be_replaced(&fleet, &fenced));
}
