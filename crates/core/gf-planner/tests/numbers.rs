//! The numbers that the shipped fleet of 847 pairs must give, to the cent.

mod support;

use gf_model::{Cents, instance::Role};
use gf_planner::{
    fixture,
    waste::{self, Spend, Waste},
};
use support::now;

#[test]
fn a_week_costs_1247_against_1190() {
    let fleet = fixture::fleet(now());
    let week = Spend::pro_rated(fleet.loads().monthly(), fixture::MONTHLY_BUDGET, 7, 30);
    assert_eq!((week.actual, week.projected), (Cents::dollars(1_247), Cents::dollars(1_190)));
    assert_eq!(week.deviation_permille(), Some(48));
    assert!(!week.is_anomaly());
}

#[test]
fn four_hundred_and_ninety_two_dollars_are_wasted() {
    let fleet = fixture::fleet(now());
    let found = waste::find(&fleet, &fixture::usage(now()), now());
    let idle = found.total(|waste| matches!(waste, Waste::Idle { .. }));
    let small = found.total(|waste| matches!(waste, Waste::Oversized { .. }));
    let elsewhere = found.total(|waste| matches!(waste, Waste::Arbitrage { .. }));
    assert_eq!(idle, (31, Cents::dollars(341)));
    assert_eq!(small, (18, Cents::dollars(108)));
    assert_eq!(elsewhere, (6, Cents::dollars(43)));
    assert_eq!(found.recoverable(), Cents::dollars(492));
    assert_eq!(idle.1 + small.1, Cents::dollars(449));
    let to_hetzner = |waste: &Waste| matches!(waste, Waste::Arbitrage { from, to } if from.0 == "contabo" && to.0 == "hetzner");
    assert_eq!(found.total(to_hetzner).0, 6);
}

#[test]
fn ninety_four_primaries_stand_in_nuremberg_and_every_pair_at_two_providers() {
    let fleet = fixture::fleet(now());
    assert_eq!((fleet.gateways.len(), fleet.instances.len()), (fixture::PAIRS, 2 * fixture::PAIRS));
    let in_nuremberg = fleet.instances.values().filter(|instance| {
        instance.role == Role::Primary && instance.provider.0 == "hetzner" && instance.region.0 == "nbg1"
    });
    assert_eq!(in_nuremberg.count(), fixture::IN_NUREMBERG);
    for account in fleet.gateways.keys() {
        let (primary, standby) = (fleet.primary_of(account).unwrap(), fleet.standby_of(account).unwrap());
        assert_ne!(primary.provider, standby.provider, "{account}");
    }
}

#[test]
fn with_six_days_of_data_nothing_is_recommended_and_thirteen_days_are_not_idle() {
    let fleet = fixture::fleet(now());
    let mut usage = fixture::usage(now());
    for usage in usage.values_mut() {
        (usage.days_known, usage.days_measured) = (6, 6);
    }
    let found = waste::find(&fleet, &usage, now());
    assert_eq!((found.sure.len(), found.unsure.len()), (0, 55));

    let second_before = now() - jiff::SignedDuration::from_secs(14 * 86_400 - 1);
    let mut fleet = fleet;
    let account = support::id("0001");
    fleet.gateways.get_mut(&account).unwrap().last_activity = Some(second_before);
    let found = waste::find(&fleet, &fixture::usage(now()), now());
    assert_eq!(found.total(|waste| matches!(waste, Waste::Idle { .. })).0, 30);
}

#[test]
fn the_records_of_a_week_say_what_was_measured() {
    let mut fleet = fixture::fleet(now());
    for usage in fixture::records_of_use(now()) {
        fleet.apply(usage.into());
    }
    let measured = waste::measured(&fleet, now());
    let found = waste::find(&fleet, &measured, now());
    assert_eq!(found, waste::find(&fleet, &fixture::usage(now()), now()));
    assert_eq!(found.recoverable(), Cents::dollars(492));
}

#[test]
fn nothing_is_claimed_of_what_was_not_measured() {
    let mut fleet = fixture::fleet(now());
    for gateway in fleet.gateways.values_mut() {
        gateway.last_activity = None;
    }
    for provider in fleet.providers.values_mut() {
        provider.setup_fee = None;
    }
    let found = waste::find(&fleet, &waste::measured(&fleet, now()), now());
    assert_eq!(found, waste::Findings::default());
}
