//! What counts together, for how long, and what is given back.

use super::*;
use proptest::prelude::*;

fn accounts(numbers: impl IntoIterator<Item = usize>) -> Vec<AccountId> {
    numbers.into_iter().map(|n| format!("{n:04}").parse().unwrap()).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn agent(name: &str) -> Principal {
    Principal::Agent(name.into())
}

fn person() -> Principal {
    Principal::Person("ada".parse().unwrap())
}

#[test]
fn fifteen_minutes_count_together_and_not_a_second_more() {
    let mut ledger = Ledger::default();
    ledger.reserve(&person(), &accounts(1..=6), at(0));
    let users = |ledger: &Ledger, second| ledger.users_with(&person(), &accounts(5..=8), at(second), 3);
    assert_eq!(users(&ledger, 899), (8, accounts(1..=3)));
    // Also before anything had a reason to let go of it.
    assert_eq!(users(&ledger, 900), (4, accounts(5..=7)));
    ledger.forget(at(900));
    assert_eq!(users(&ledger, 900), (4, accounts(5..=7)));
}

#[test]
fn all_agents_are_one_hand_and_each_person_is_their_own() {
    let mut ledger = Ledger::default();
    ledger.reserve(&agent("commander"), &accounts(1..=6), at(0));
    assert_eq!(ledger.users_with(&agent("guardian"), &[], at(1), 9).0, 6);
    assert_eq!(ledger.users_with(&person(), &accounts(1..=2), at(1), 9).0, 2);
}

#[test]
fn what_did_not_happen_is_given_back_and_what_happened_twice_stays() {
    let mut ledger = Ledger::default();
    ledger.reserve(&person(), &accounts(1..=2), at(0));
    ledger.reserve(&person(), &accounts(2..=3), at(1));
    ledger.release(&person(), &accounts(2..=3));
    assert_eq!(ledger.users_with(&person(), &[], at(2), 9), (2, accounts(1..=2)));
}

#[test]
fn a_failover_that_is_about_to_start_is_there_until_it_has() {
    let mut ledger = Ledger::default();
    let account = accounts([1]).remove(0);
    ledger.start_failover(&account);
    assert_eq!(ledger.failovers_starting().count(), 1);
    ledger.failover_started(&account);
    ledger.failover_started(&account);
    assert_eq!(ledger.failovers_starting().count(), 0);
}

proptest! {
    /// Against the plainest count there is: every reservation kept, every question answered from all of them.
    #[test]
    fn it_counts_like_a_list_of_everything(
        acts in prop::collection::vec((0..3_u8, 0..3_usize, prop::collection::vec(0..12_usize, 0..6), 0..700_i64), 1..30),
    ) {
        let hands = [agent("commander"), agent("guardian"), person()];
        let mut ledger = Ledger::default();
        let mut all: Vec<(bool, AccountId, i64)> = Vec::new();
        let mut now = 0;
        for (act, who, numbers, later) in acts {
            now += later;
            let by = &hands[who];
            let is_agent = who < 2;
            let asked = accounts(numbers);
            match act {
                0 => {
                    ledger.reserve(by, &asked, at(now));
                    all.extend(asked.iter().map(|account| (is_agent, account.clone(), now)));
                }
                1 => {
                    ledger.release(by, &asked);
                    for account in &asked {
                        let recent = |e: &(bool, AccountId, i64)| e.0 == is_agent && e.1 == *account;
                        if let Some(newest) = all.iter().rposition(recent) {
                            all.remove(newest);
                        }
                    }
                }
                _ => {}
            }
            let counted = all.iter().filter(|(agents, _, then)| *agents == is_agent && now - then < WINDOW_SECONDS);
            let expected: BTreeSet<AccountId> = counted.map(|(_, account, _)| account.clone()).chain(asked.clone()).collect();
            let (count, first) = ledger.users_with(by, &asked, at(now), 4);
            prop_assert_eq!(count, expected.len());
            prop_assert_eq!(first, expected.into_iter().take(4).collect::<Vec<_>>());
        }
    }
}
