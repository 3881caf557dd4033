//! What an admin sees before other rules are in force.

use crate::support::with;
use gf_policy_cedar::{CASES, Cases, Change, Compiled, shipped};

fn change(files: &gf_policy_cedar::Files) -> Change {
    let cases = Cases::parse(CASES).unwrap();
    Change::of(&Compiled::of(&shipped()).unwrap(), &Compiled::of(files).unwrap(), &cases)
}

#[test]
fn the_same_rules_change_nothing() {
    let change = change(&shipped());
    assert!(change.is_empty() && change.decided_otherwise.is_empty());
    assert_eq!(change.digest, change.replaces);
}

#[test]
fn a_stricter_limit_is_shown_with_what_it_decides_otherwise() {
    let mut files = shipped();
    let limits = files.get_mut("limits.cedar").unwrap();
    *limits = limits.replace("context.instances > 10", "context.instances > 5");
    let change = change(&files);
    assert_ne!(change.digest, change.replaces);
    let [changed] = change.changed.as_slice() else { panic!("{change:#?}") };
    assert_eq!(changed.rule, "more_than_ten_restarts");
    assert!(changed.before.contains("> 10") && changed.after.contains("> 5"), "{changed:?}");
    let ten =
        change.decided_otherwise.iter().find(|case| case.case == "commander restarts ten alone").unwrap();
    assert_eq!((ten.before.as_str(), ten.after.as_str()), ("allow", "needs approval"));
    assert!(
        change.decided_otherwise.iter().all(|case| case.case.contains("ten") || case.case.contains("parent"))
    );
}

#[test]
fn rules_that_come_and_go_are_named() {
    let mut files = with("@id(\"mine\") permit (principal in Role::\"admin\", action, resource);");
    files.remove("services.cedar");
    let change = change(&files);
    assert_eq!(change.added.iter().map(|rule| rule.rule.as_str()).collect::<Vec<_>>(), ["mine"]);
    let removed: Vec<_> = change.removed.iter().map(|rule| rule.rule.as_str()).collect();
    assert_eq!(removed, ["breaker_failovers_at_once", "breaker_halted", "protective_act"]);
    assert!(!change.is_empty());
}

/// A comment changes no rule, and still the digest: an admin agrees to a text.
#[test]
fn another_comment_is_another_text() {
    let mut files = shipped();
    files.get_mut("people.cedar").unwrap().insert_str(0, "// Ours.\n");
    let change = change(&files);
    assert!(change.is_empty());
    assert_ne!(change.digest, change.replaces);
}
