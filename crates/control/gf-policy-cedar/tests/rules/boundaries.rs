//! The table of `policy/cases.toml`, and what it must cover.

use crate::support::{agent, decide, person, with};
use gf_model::{AccountId, verb::Verb};
use gf_policy::{Decision, Facts, TEAM};
use gf_policy_cedar::{CASES, Cases, Compiled, SCHEMA, shipped};

#[test]
fn every_case_is_decided_as_the_table_says() {
    let rules = Compiled::of(&shipped()).unwrap();
    let results = Cases::parse(CASES).unwrap().run(&rules);
    let wrong: Vec<_> = results.iter().filter(|result| !result.ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(results.len() > 40);
}

#[test]
fn every_shipped_rule_is_met_by_a_case() {
    let rules = Compiled::of(&shipped()).unwrap();
    let results = Cases::parse(CASES).unwrap().run(&rules);
    for name in rules.names() {
        assert!(results.iter().any(|result| result.rules.iter().any(|rule| rule == name)), "{name}");
    }
    assert_eq!(rules.warnings, [], "a rule that is shipped looks like a mistake");
}

#[test]
fn every_verb_can_be_spoken_of() {
    for verb in Verb::NAMES {
        assert!(SCHEMA.contains(verb), "{verb}");
    }
}

/// The table of the team in Rust is the floor, the files are what is permitted: neither may know more than the other.
#[test]
fn the_agents_rules_are_the_teams_table() {
    let rules = Compiled::of(&shipped()).unwrap();
    let facts = Facts { instances: 1, accounts: 1, users: 1, primary_failed: true, ..Facts::default() };
    for row in &TEAM {
        for verb in Verb::NAMES {
            let word = match decide(&rules, &agent(row.agent), verb, &facts) {
                Decision::Refuse(refused) => refused.rule,
                other => other.word().to_owned(),
            };
            let expected = match (row.alone.contains(&verb), row.ask.contains(&verb)) {
                (true, _) => "allow",
                (false, true) => "needs approval",
                (false, false) => "outside_the_agents_row",
            };
            assert_eq!(word, expected, "{} {verb}", row.agent);
        }
    }
}

#[test]
fn a_question_says_how_many_and_who_once() {
    let rules = Compiled::of(&shipped()).unwrap();
    let first_users: Vec<AccountId> = (1..=10).map(|n| format!("{n:04}").parse().unwrap()).collect();
    let facts = Facts {
        users: 12,
        first_users,
        accounts: 12,
        cost_delta: 2_300,
        monthly_before: 10_000,
        ..Facts::default()
    };
    let Decision::NeedsApproval(needs) = decide(&rules, &agent("commander"), "config_push", &facts) else {
        panic!("a push is asked for")
    };
    assert_eq!(needs.rules, ["more_than_ten_users", "cost_rises_by_more_than_a_fifth", "commander_asks"]);
    assert_eq!(needs.notes.len(), 2, "{:?}", needs.notes);
    assert!(needs.notes[0].starts_with("affects 12 users"), "{:?}", needs.notes);
    assert!(needs.notes[0].ends_with("acct-0010 and 2 more"), "{:?}", needs.notes);
    assert_eq!(needs.notes[1], "the fleet's monthly cost rises by 23.0 %");
}

#[test]
fn a_refusal_says_which_limit_and_what_would_be_right() {
    let rules = Compiled::of(&shipped()).unwrap();
    let facts = Facts { unvalidated: 101, instances: 101, ..Facts::default() };
    let Decision::Refuse(refused) = decide(&rules, &person(), "restart", &facts) else {
        panic!("nobody changes 101 at once")
    };
    assert_eq!(refused.rule, "too_many_at_once");
    assert!(refused.message.contains("101") && refused.message.contains("100"), "{}", refused.message);
    assert!(refused.fix.unwrap().contains("at most 50"));
}

/// What a rule of one's own asks of people, from one yes to another person's signed one.
#[test]
fn a_rule_asks_for_a_signature_a_second_person_or_both() {
    let of = |lifted_by: &str| {
        let text = format!(
            "@id(\"own\") @says(\"s\") @fix(\"f\") forbid (principal, action == Action::\"config_push\", resource) \
             unless {{ {lifted_by} }};"
        );
        let rules = Compiled::of(&with(&text)).unwrap();
        match decide(&rules, &agent("commander"), "config_push", &Facts::default()) {
            Decision::NeedsApproval(needs) => (needs.second_person, needs.signed, needs.own_key_is_enough()),
            other => panic!("a push is asked for: {other:?}"),
        }
    };
    assert_eq!(of("context.agreed"), (false, false, true));
    assert_eq!(of("context.agreedSigned"), (false, true, false));
    assert_eq!(of("context.agreedByAnother"), (true, false, false));
    assert_eq!(of("context.agreedSigned && context.agreedByAnother"), (true, true, false));
    assert_eq!(of("context.agreedSigned || context.agreedByAnother"), (false, true, false));
    let shipped_aside = include_str!("../../../../../policy/optional/signed_deletes.cedar");
    let rules = Compiled::of(&with(shipped_aside)).unwrap();
    let Decision::NeedsApproval(needs) = decide(&rules, &agent("forge"), "teardown", &Facts::default())
    else {
        panic!("a teardown is asked for")
    };
    assert!(needs.signed && !needs.second_person);
    let never_ran = Facts { never_ran: true, ..Facts::default() };
    assert!(matches!(decide(&rules, &agent("forge"), "teardown", &never_ran), Decision::Allow(_)));
}

#[test]
fn a_second_person_agrees_to_a_fifth_more_where_that_is_asked_for() {
    use gf_policy::Rules;
    let policy = gf_policy_cedar::with_second_person_over_cost();
    let admin = person();
    let of = |cost_delta| {
        let facts = Facts { monthly_before: 10_000, cost_delta, accounts: 1, users: 1, ..Facts::default() };
        let role = Some(gf_model::person::PersonRole::Admin);
        match policy
            .0
            .judge(&gf_policy::Asked { principal: &admin, role, verb: "resize", facts: &facts }, None)
        {
            Decision::NeedsApproval(needs) => needs.second_person,
            other => panic!("a resize is asked for: {other:?}"),
        }
    };
    assert!(!of(2_000));
    assert!(of(2_001));
}
