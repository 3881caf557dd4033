//! However wide the rules are written, nothing gets below the hard limits.

use super::*;
use crate::{Allowed, facts::Unprotected};
use gf_model::{
    AccountId,
    person::{PersonRole, Principal},
    verb::Verb,
};
use proptest::prelude::*;

/// Rules that permit everything to everybody.
fn anything(_: &Asked<'_>) -> Decision {
    Decision::Allow(Allowed { rules: vec!["anything_goes".into()] })
}

fn agent(name: &str) -> Principal {
    Principal::Agent(name.into())
}

fn decide(principal: &Principal, verb: &str, facts: &Facts) -> Decision {
    let role = matches!(principal, Principal::Person(_)).then_some(PersonRole::Admin);
    guarded(&Asked { principal, role, verb, facts }, anything)
}

fn accounts(n: usize) -> Vec<AccountId> {
    (1..=n).map(|n| format!("{n:04}").parse().unwrap()).collect()
}

#[test]
fn a_hundred_at_once_and_no_more() {
    let of = |unvalidated| decide(&agent("commander"), "restart", &Facts { unvalidated, ..Facts::default() });
    assert_eq!(of(100).word(), "allow");
    assert_eq!(of(101).rules(), ["too_many_at_once"]);
}

#[test]
fn an_active_primary_without_standby_or_archive_stays() {
    let leaves_unprotected =
        Some(Unprotected { account: "0001".parse().unwrap(), instance: "7f3a".parse().unwrap() });
    let facts = Facts { leaves_unprotected, ..Facts::default() };
    let admin = Principal::Person("ada".parse().unwrap());
    assert_eq!(decide(&admin, "teardown", &facts).rules(), ["teardown_unprotected"]);
}

#[test]
fn while_automation_is_frozen_only_people_begin_anything() {
    let frozen = Facts { frozen: true, primary_failed: true, ..Facts::default() };
    let guardian = Principal::Service("guardian".into());
    for verb in ["restart", "failover", "rebuild_standby", "rollback"] {
        assert_eq!(decide(&guardian, verb, &frozen).rules(), ["frozen"], "{verb}");
        assert_ne!(decide(&agent("guardian"), verb, &frozen).word(), "allow", "{verb}");
    }
    let asked = decide(&agent("commander"), "restart", &frozen);
    assert_eq!((asked.word(), asked.rules()), ("needs approval", vec!["frozen".to_owned()]));
    assert_eq!(decide(&Principal::Person("ada".parse().unwrap()), "restart", &frozen).word(), "allow");
}

#[test]
fn more_than_ten_users_and_more_than_a_fifth_of_the_cost_are_said() {
    let facts = |users, cost_delta| Facts {
        users,
        first_users: accounts(10),
        accounts: 1,
        cost_delta,
        monthly_before: 10_000,
        ..Facts::default()
    };
    let of = |facts: &Facts| decide(&agent("commander"), "restart", facts);
    assert_eq!(of(&facts(10, 2_000)).word(), "allow");
    let Decision::NeedsApproval(needs) = of(&facts(12, 2_001)) else { panic!("both are beyond the limit") };
    assert_eq!(needs.rules, ["more_than_ten_users", "cost_rises_by_more_than_a_fifth"]);
    assert!(needs.notes[0].starts_with("affects 12 users"), "{:?}", needs.notes);
    assert!(needs.notes[0].ends_with("acct-0010 and 2 more"), "{:?}", needs.notes);
    assert_eq!(needs.notes[1], "the fleet's monthly cost rises by 20.0 %");
    assert_eq!(of(&Facts { monthly_before: 9_999, ..facts(10, 9_999) }).word(), "allow");
    // Saving a user who is down is not one of the ten.
    let rescue = Facts { primary_failed: true, ..facts(12, 0) };
    assert_eq!(decide(&agent("guardian"), "failover", &rescue).word(), "allow");
}

#[test]
fn an_agent_keeps_to_its_row_and_asks_where_the_table_says_so() {
    let of = |name: &str, verb: &str| decide(&agent(name), verb, &Facts::default()).rules();
    assert_eq!(of("commander", "provision"), ["agents_ask_for_this"]);
    assert_eq!(of("forge", "teardown"), ["agents_ask_for_this"]);
    assert_eq!(of("forge/1f", "teardown"), ["child_asks_nobody"]);
    assert_eq!(of("commander/1f", "restart"), ["anything_goes"]);
    for reader in ["ledger", "triage", "briefer"] {
        for verb in Verb::NAMES {
            assert_eq!(of(reader, verb), ["outside_the_agents_row"], "{reader} {verb}");
        }
    }
    assert_eq!(of("root", "restart"), ["unknown_agent"]);
    let failed_build = Facts { never_ran: true, ..Facts::default() };
    assert_eq!(decide(&agent("forge"), "teardown", &failed_build).word(), "allow");
    assert_eq!(decide(&agent("commander"), "teardown", &failed_build).word(), "needs approval");
}

#[test]
fn a_service_protects_under_its_breaker_and_does_nothing_else() {
    let healer = Principal::Service("healer".into());
    assert_eq!(decide(&healer, "provision", &Facts::default()).rules(), ["service_not_permitted"]);
    let of = |running, lately, confirmed| {
        let facts = Facts {
            failovers_running: running,
            failovers_lately: lately,
            failovers_allowed: 10,
            outage_confirmed: confirmed,
            ..Facts::default()
        };
        decide(&healer, "failover", &facts).rules()
    };
    assert_eq!(of(19, 10, false), ["anything_goes"]);
    assert_eq!(of(20, 10, true), ["breaker_failovers_at_once"]);
    assert_eq!(of(0, 11, false), ["breaker_halted"]);
    assert_eq!(of(0, 11, true), ["anything_goes"]);
}

#[test]
fn stricter_rules_stay_as_they_are() {
    let facts = Facts { users: 11, accounts: 1, ..Facts::default() };
    let principal = agent("commander");
    let asked = Asked { principal: &principal, role: None, verb: "restart", facts: &facts };
    let second = |rule: &str| {
        Decision::NeedsApproval(Needs { rules: vec![rule.into()], second_person: true, ..Needs::default() })
    };
    let Decision::NeedsApproval(needs) = guarded(&asked, |_| second("ours")) else { panic!("it was asked") };
    assert_eq!(needs.rules, ["ours", "more_than_ten_users"]);
    assert!(needs.second_person && needs.notes.len() == 1);
    // What the rules said already is not said again.
    let same = guarded(&asked, |_| second("more_than_ten_users"));
    assert_eq!(same.rules(), ["more_than_ten_users"]);
}

proptest! {
    /// Whoever asks for whatever: a floor that asks is never an allow, and no child ever asks.
    #[test]
    fn nothing_gets_below_the_floor(
        who in 0..9_usize, verb in 0..11_usize, users in 0..14_usize, unvalidated in 98..103_usize,
        cost in -3_000..3_000_i64, before in 9_990..10_010_i64, primary_failed: bool, never_ran: bool,
    ) {
        let names = ["commander", "guardian", "forge", "ledger", "commander/1f", "forge/1f", "x"];
        let principal = match who {
            7 => Principal::Person("ada".parse().unwrap()),
            8 => Principal::Service("healer".into()),
            n => agent(names[n]),
        };
        let facts = Facts {
            users, accounts: 1, unvalidated, cost_delta: cost, monthly_before: before, primary_failed, never_ran,
            ..Facts::default()
        };
        let asked = Asked { principal: &principal, role: None, verb: Verb::NAMES[verb], facts: &facts };
        let decision = guarded(&asked, anything);
        match hard::floor(&asked) {
            Err(refused) => prop_assert_eq!(decision, Decision::Refuse(refused)),
            Ok(must) if must.is_empty() => prop_assert_eq!(decision.word(), "allow"),
            Ok(_) if names.get(who).is_some_and(|name| name.contains('/')) => {
                prop_assert_eq!(decision.rules(), ["child_asks_nobody"]);
            }
            Ok(_) => prop_assert_eq!(decision.word(), "needs approval"),
        }
    }
}
