//! Rules written out as files, tried, shown as a plan, and put in force, by the verbs that an admin types.

use crate::server::Server;
use std::{fs, path::Path};

const NIGHT: &str = r#"@id("night")
@says("not at night")
@fix("ask a person")
forbid (principal, action == Action::"silence", resource);
"#;

const SILENCE: [&str; 4] =
    ["policy", "explain", "gf_alerts_silence", r#"{"scope": "local-a", "minutes": 5, "reason": "quiet"}"#];

/// The rules in force as files, with one more that is stricter.
fn stricter(server: &Server) -> String {
    let rules = server.directory.path().join("rules").display().to_string();
    let said = server.good(&["policy", "rules", "--to", &rules]);
    assert!(said.contains("which this fleet started with") && said.contains(&rules), "{said}");
    assert!(fs::read_to_string(Path::new(&rules).join("people.cedar")).unwrap().contains("role_too_low"));
    fs::write(Path::new(&rules).join("night.cedar"), NIGHT).unwrap();
    rules
}

fn digest(server: &Server) -> String {
    server.json(&["policy", "rules"])["digest"].as_str().unwrap().to_owned()
}

#[test]
fn rules_are_tried_planned_and_put_in_force_and_outlive_a_kill() {
    let mut server = Server::start();
    let rules = stricter(&server);
    let before = digest(&server);
    assert!(server.good(&["policy", "test"]).contains("all decided as expected"));
    assert!(server.good(&SILENCE).contains("allow"));

    let tried = server.run(&["policy", "test", &rules]);
    assert_eq!(tried.code, 1, "{}{}", tried.out, tried.err);
    assert!(tried.out.contains("by night") && tried.err.contains("decided otherwise"), "{}", tried.out);
    let cases = server.directory.path().join("cases.toml");
    let case = "[[case]]\nname = \"mine\"\nwho = \"person admin\"\nverb = \"silence\"\nexpect = \"refuse\"\nrules = [\"night\"]";
    fs::write(&cases, case).unwrap();
    let own = ["policy", "test", &rules, "--cases", &cases.display().to_string()];
    assert!(server.good(&own).contains("1 case, all decided as expected"));

    let plan = server.good(&["policy", "plan", &rules]);
    assert!(plan.contains("+ forbid (principal, action == Action::\"silence\", resource);"), "{plan}");
    assert!(plan.contains("→ refuse"), "a plan names the cases that it decides otherwise: {plan}");
    let unasked = server.run(&["policy", "apply", &rules]);
    assert_eq!(unasked.code, 5, "nobody's yes is assumed: {}", unasked.err);
    assert_eq!(digest(&server), before, "a plan and a question change nothing");

    let applied = server.good(&["policy", "apply", &rules, "--yes"]);
    assert!(applied.contains("+ forbid"), "what is agreed to is shown: {applied}");
    let after = digest(&server);
    assert_ne!(after, before);
    server.kill_and_start_again();
    assert_eq!(digest(&server), after);
    let in_force = server.good(&["policy", "rules"]);
    let first = in_force.lines().next().unwrap();
    assert!(first.contains("put in force by person-operator at ") && first.ends_with(" UTC."), "{first}");
    assert!(in_force.contains("==== night.cedar"), "{in_force}");
    let refused = server.good(&SILENCE);
    assert!(refused.contains("refuse") && refused.contains("night"), "{refused}");
}

#[test]
fn what_cannot_be_put_in_force_is_said_and_changes_nothing() {
    let server = Server::start();
    let rules = stricter(&server);
    let before = digest(&server);
    let fresh = server.json(&["people", "add", "Bea", "--role", "approver"]);
    let bea = fresh["key"].as_str().unwrap_or_else(|| panic!("{fresh}"));
    let theirs = server.run_as(Some(bea), &["policy", "apply", &rules, "--yes"]);
    assert_eq!(theirs.code, 3, "{}{}", theirs.out, theirs.err);
    assert!(theirs.err.contains("admin"), "{}", theirs.err);

    fs::write(Path::new(&rules).join("night.cedar"), "permit everything").unwrap();
    for verb in ["test", "plan", "apply"] {
        let bad = server.run(&["policy", verb, &rules]);
        assert_eq!(bad.code, 3, "{verb}: {}{}", bad.out, bad.err);
        assert!(bad.err.contains("night.cedar:1") && bad.err.contains("fix:"), "{verb}: {}", bad.err);
    }
    let empty = server.directory.path().display().to_string();
    let none = server.run(&["policy", "plan", &empty]);
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(none.err.contains("policy rules --to"), "{}", none.err);
    assert_eq!(digest(&server), before);
}
