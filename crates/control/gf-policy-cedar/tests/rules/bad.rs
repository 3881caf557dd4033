//! Rules that cannot be put in force say where and what would be right; rules that fail refuse.

use crate::support::{agent, decide, only, person, with};
use gf_model::{Timestamp, person::Principal, rules::RuleSet};
use gf_policy::{Asked, Facts, Rules};
use gf_policy_cedar::{Cases, CedarRules, Compiled, Files, Problem};

fn problems(files: &Files) -> Vec<Problem> {
    Compiled::of(files).unwrap_err().0
}

#[test]
fn a_slip_of_the_pen_is_found_on_its_line() {
    let files = only("@id(\"a\")\npermit (principal, action, resource)\nwhen { context.users << 10 };");
    let problem = &problems(&files)[0];
    assert_eq!((problem.file.as_str(), problem.line), ("own.cedar", Some(3)), "{problem}");
}

#[test]
fn what_nobody_counts_is_not_spoken_of() {
    let files = with("@id(\"a\") permit (principal, action, resource) when { context.userz > 10 };");
    assert!(problems(&files)[0].to_string().contains("userz"), "{:?}", problems(&files));
    let files = with("@id(\"a\") permit (principal, action == Action::\"explode\", resource);");
    assert!(problems(&files)[0].to_string().contains("explode"));
    let sentence = with("@id(\"a\")@says(\"{userz}\")@fix(\"x\") forbid (principal, action, resource);");
    let problem = &problems(&sentence)[0];
    assert!(
        problem.what.contains("{userz}") && problem.fix.as_ref().unwrap().contains("{users}"),
        "{problem}"
    );
}

#[test]
fn every_rule_has_a_name_of_its_own_and_every_no_its_reason() {
    let permit = "permit (principal, action, resource);";
    assert!(problems(&with(permit))[0].what.contains("no name"));
    assert!(problems(&with(&format!("\n\n@id(\"A rule\") {permit}")))[0].line.is_some());
    assert!(problems(&with(&format!("@id(\"commander_alone\") {permit}")))[0].what.contains("two rules"));
    assert!(problems(&with("@id(\"a\") forbid (principal, action, resource);"))[0].what.contains("no @says"));
    let slot = "@id(\"a\") permit (principal == ?principal, action, resource);";
    assert!(problems(&with(slot))[0].what.contains("slot"));
    let elsewhere = Files::from([("../rules.cedar".to_owned(), String::new())]);
    assert!(problems(&elsewhere)[0].what.contains("not a file of rules"));
    assert!(!problems(&only(&"// long\n".repeat(40_000))).is_empty());
}

/// Cedar would leave out a rule that fails, also one that forbids.
#[test]
fn a_rule_that_fails_refuses() {
    let files = with(
        "@id(\"overflows\")@says(\"never\")@fix(\"never\") forbid (principal, action, resource)
         when { context.costDelta * 9000000000000000000 > 0 };",
    );
    let rules = Compiled::of(&files).unwrap();
    let of = |cost_delta| {
        let facts = Facts { cost_delta, accounts: 1, users: 1, ..Facts::default() };
        decide(&rules, &agent("commander"), "restart", &facts).rules()
    };
    assert_eq!(of(0), ["commander_alone"]);
    assert_eq!(of(2), ["rule_failed"]);
}

#[test]
fn without_any_rule_nothing_is_permitted() {
    let rules = Compiled::of(&Files::new()).unwrap();
    assert_eq!(decide(&rules, &person(), "restart", &Facts::default()).rules(), ["no_rule_permits_it"]);
}

#[test]
fn rules_in_force_are_taken_at_once_and_unreadable_ones_let_only_healing_through() {
    let cedar = CedarRules::shipped();
    let set = |files: Files| RuleSet {
        digest: gf_model::rules::digest(&files),
        files,
        applied_at: Timestamp::UNIX_EPOCH,
        applied_by: person(),
    };
    let judge = |principal: &Principal, changed: Option<&RuleSet>| {
        let facts = Facts { instances: 1, accounts: 1, users: 1, ..Facts::default() };
        cedar.judge(&Asked { principal, role: None, verb: "restart", facts: &facts }, changed).rules()
    };
    let (commander, healer) = (agent("commander"), Principal::Service("healer".into()));
    assert_eq!(judge(&commander, None), ["commander_alone"]);
    let stricter = set(with(
        "@id(\"night\")@says(\"not now\")@fix(\"later\") forbid (principal is Agent, action, resource);",
    ));
    assert_eq!(judge(&commander, Some(&stricter)), ["night"]);
    let broken = set(only("permit everything"));
    assert_eq!(judge(&commander, Some(&broken)), ["rules_unreadable"]);
    assert_eq!(judge(&healer, Some(&broken)), ["protective_act"]);
    assert_eq!(judge(&commander, Some(&stricter)), ["night"]);
    assert_eq!(judge(&commander, None), ["commander_alone"]);
}

#[test]
fn a_case_that_says_nothing_clear_is_not_run() {
    let case = |who: &str, verb: &str, expect: &str| {
        let text =
            format!("[[case]]\nname = \"x\"\nwho = \"{who}\"\nverb = \"{verb}\"\nexpect = \"{expect}\"");
        Cases::parse(&text).map(|cases| cases.cases.len()).map_err(|bad| bad.to_string())
    };
    assert_eq!(case("agent guardian", "restart", "allow"), Ok(1));
    assert!(case("guardian", "restart", "allow").unwrap_err().contains("who"));
    assert!(case("agent guardian", "explode", "allow").unwrap_err().contains("verb"));
    assert!(case("agent guardian", "restart", "maybe").unwrap_err().contains("expect"));
    assert!(Cases::parse("[[case]]\nname = \"x\"\nfacts = { userz = 1 }").is_err());
}
