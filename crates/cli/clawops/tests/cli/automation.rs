//! Automation frozen and thawed by the verbs that an operator types, over a kill of the control plane.

use crate::server::Server;

#[test]
fn a_freeze_is_said_everywhere_outlives_a_kill_and_ends_with_a_thaw() {
    let mut server = Server::start();
    let said = server.good(&["freeze", "--reason", "a drill"]);
    for part in ["is frozen since", "a drill", "holds back 0 operations", "What goes on:", "clawops thaw"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    server.kill_and_start_again();
    let again = server.json(&["freeze"]);
    assert_eq!((&again["frozen"], &again["reason"]), (&true.into(), &"a drill".into()), "{again}");
    let status = server.good(&["fleet", "status"]);
    assert!(status.contains("automation") && status.contains("a drill"), "{status}");

    let thawed = server.good(&["thaw"]);
    assert!(thawed.contains("Automation is on again"), "{thawed}");
    assert!(server.good(&["thaw"]).contains("was not frozen"));
    assert!(!server.good(&["fleet", "status"]).contains("a drill"));
    let rows = server.good(&["audit", "show", "--action", "automation.thaw"]);
    assert!(rows.contains("automation.thaw") && rows.contains("person-operator"), "{rows}");

    let fresh = server.json(&["people", "add", "Vic", "--role", "viewer"]);
    let viewer = fresh["key"].as_str().unwrap();
    assert_eq!(server.run_as(Some(viewer), &["freeze"]).code, 3);
}
