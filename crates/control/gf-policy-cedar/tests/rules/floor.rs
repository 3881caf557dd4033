//! Rules as wide as they can be written stay above the hard limits.

use crate::support::{agent, decide, only, person};
use gf_model::{person::Principal, verb::Verb};
use gf_policy::{Asked, Decision, Facts, Unprotected, floor};
use gf_policy_cedar::Compiled;
use proptest::prelude::*;

const ANYTHING: &str = "@id(\"anything_goes\") permit (principal, action, resource);";

#[test]
fn a_file_that_permits_everything_permits_no_more_than_the_hard_limits() {
    let rules = Compiled::of(&only(ANYTHING)).unwrap();
    let of =
        |principal: &Principal, verb: &str, facts: &Facts| decide(&rules, principal, verb, facts).rules();
    let some = Facts { accounts: 1, users: 1, instances: 1, ..Facts::default() };
    assert_eq!(of(&agent("commander"), "restart", &some), ["anything_goes"]);
    assert_eq!(of(&agent("commander"), "provision", &some), ["agents_ask_for_this"]);
    assert_eq!(of(&agent("ledger"), "restart", &some), ["outside_the_agents_row"]);
    assert_eq!(of(&agent("root"), "restart", &some), ["unknown_agent"]);
    assert_eq!(of(&Principal::Service("healer".into()), "teardown", &some), ["service_not_permitted"]);
    let many = Facts { users: 11, ..some.clone() };
    assert_eq!(of(&person(), "restart", &many), ["more_than_ten_users"]);
    assert_eq!(of(&agent("guardian/1"), "restart", &many), ["child_asks_nobody"]);
    let dear = Facts { monthly_before: 10_000, cost_delta: 2_001, ..some.clone() };
    assert_eq!(of(&person(), "resize", &dear), ["cost_rises_by_more_than_a_fifth"]);
    assert_eq!(of(&person(), "resize", &Facts { unvalidated: 101, ..some.clone() }), ["too_many_at_once"]);
    let instance = "7f3a".parse().unwrap();
    let bare = Unprotected { account: "0001".parse().unwrap(), instance };
    let bare = Facts { leaves_unprotected: Some(bare), ..some };
    assert_eq!(of(&person(), "teardown", &bare), ["teardown_unprotected"]);
}

proptest! {
    // Each case compiles rules of its own.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever limits are written into the file and whoever asks: what the floor refuses is refused, and what it asks a
    /// person for is never simply allowed.
    #[test]
    fn no_file_gets_below_the_floor(
        limit in 0..1_000_i64, lifted_by in 0..3_usize, who in 0..7_usize, verb in 0..11_usize,
        users in 0..14_usize, unvalidated in 98..103_usize, cost in 1_990..2_010_i64, never_ran: bool,
    ) {
        let unless = ["context.agreed", "context.agreedByAnother", "true"][lifted_by];
        let text = format!(
            "{ANYTHING}\n@id(\"mine\")@says(\"no\")@fix(\"no\") forbid (principal, action, resource)
             when {{ context.users > {limit} || context.unvalidated > {limit} }} unless {{ {unless} }};"
        );
        let rules = Compiled::of(&only(&text)).unwrap();
        let principal = match who {
            5 => person(),
            6 => Principal::Service("healer".into()),
            n => agent(["commander", "guardian", "forge", "ledger", "commander/1f"][n]),
        };
        let facts = Facts {
            users, accounts: 1, unvalidated, cost_delta: cost, monthly_before: 10_000, never_ran, ..Facts::default()
        };
        let verb = Verb::NAMES[verb];
        let decision = decide(&rules, &principal, verb, &facts);
        match floor(&Asked { principal: &principal, role: None, verb, facts: &facts }) {
            Err(refused) => prop_assert_eq!(decision, Decision::Refuse(refused)),
            Ok(must) if !must.is_empty() => prop_assert_ne!(decision.word(), "allow"),
            Ok(_) => {}
        }
    }
}
