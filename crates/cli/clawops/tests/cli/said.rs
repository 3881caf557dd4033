//! What a person reads is for a person: verbs to type, times that can be read, counts that agree.

use crate::server::Server;

#[test]
fn who_names_an_instance_that_is_not_there_is_told_the_verb_that_lists_them() {
    let server = Server::start();
    let said = server.run(&["instances", "i-zzz"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.err.contains("i-zzz") && said.err.contains("`clawops instances`"), "{}", said.err);
    assert!(!said.err.contains("gf_"), "a tool is named to a person: {}", said.err);
}

#[test]
fn the_audit_trail_is_told_to_the_second() {
    let server = Server::start();
    server.json(&["people", "add", "Bea", "--role", "viewer"]);
    let one = server.good(&["audit", "show", "--limit", "1"]);
    let summary = one.lines().next().unwrap();
    assert!(summary.contains(", 1 shown."), "{summary}");
    let newest = summary.split(" at ").nth(1).unwrap();
    assert_eq!(&newest[19..24], " UTC.", "{summary}");
    assert!(newest[..19].parse::<jiff::civil::DateTime>().is_ok(), "{summary}");
    let row = one.lines().nth(3).unwrap();
    assert!(row.contains(&newest[..23]), "the row has the time of the newest: {one}");
    assert!(server.good(&["audit", "verify"]).contains("whole"));
}
