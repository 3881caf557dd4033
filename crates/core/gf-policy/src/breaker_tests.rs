//! The breaker at its exact limits.

use super::*;
use gf_model::{
    InstanceId, Tier,
    gateway::{Failover, Fencing, Generation},
};

fn account(n: usize) -> AccountId {
    format!("{n:04}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// `pairs` gateways, of which the first `moved` failed over at second zero.
fn fleet(pairs: usize, moved: usize) -> Fleet {
    let mut fleet = Fleet::default();
    for n in 1..=pairs {
        let id: InstanceId = format!("{n:04}").parse().unwrap();
        let failover = Failover {
            at: at(0),
            from: id.clone(),
            to: id,
            generation: Generation(2),
            reason: String::new(),
            took_ms: 0,
            rpo_seconds: None,
        };
        let gateway = Gateway {
            last_failover: (n <= moved).then_some(failover),
            ..Gateway::new(account(n), Tier::Nano, Fencing::Strict, at(0))
        };
        fleet.apply(gateway.into());
    }
    fleet
}

fn decide(fleet: &Fleet, account: &AccountId, witness: bool, now: Timestamp) -> Verdict {
    let mut moves = moves(fleet, &Ledger::default(), account, now);
    moves.confirmed |= witness;
    super::decide(&moves)
}

#[test]
fn a_tenth_of_the_fleet_may_move_in_ten_minutes_and_one_more_needs_a_witness() {
    let new = account(847);
    assert_eq!(decide(&fleet(847, 83), &new, false, at(1)), Verdict::Go);
    let halted = Verdict::Halt { moved: 84, allowed: 84 };
    assert_eq!(decide(&fleet(847, 84), &new, false, at(599)), halted);
    assert_eq!(decide(&fleet(847, 84), &new, true, at(599)), Verdict::Go);
    assert_eq!(decide(&fleet(847, 84), &new, false, at(600)), Verdict::Go);
}

#[test]
fn the_same_pair_again_is_not_one_more() {
    assert_eq!(decide(&fleet(847, 84), &account(1), false, at(1)), Verdict::Go);
}

#[test]
fn a_small_fleet_may_move_whole() {
    assert_eq!(decide(&fleet(2, 1), &account(2), false, at(1)), Verdict::Go);
}

#[test]
fn those_that_were_let_in_a_moment_ago_run_too() {
    let mut ledger = Ledger::default();
    for n in 1..=20 {
        ledger.start_failover(&account(n));
    }
    let verdict = |ledger: &Ledger| super::decide(&moves(&fleet(847, 0), ledger, &account(21), at(1)));
    assert_eq!(verdict(&ledger), Verdict::Wait { running: 20 });
    ledger.failover_started(&account(20));
    assert_eq!(verdict(&ledger), Verdict::Go);
}
