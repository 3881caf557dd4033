//! The store looked at while its control plane is dead, hangs or was never there, without a byte of it being changed.

use crate::server::Server;
use serde_json::json;
use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

/// Every file of a home with what it holds and when it was written.
fn files(directory: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let written = entry.metadata().unwrap().modified().unwrap();
            found.insert(path.display().to_string(), (fs::read(&path).unwrap(), written));
        }
    }
    found
}

#[test]
fn a_killed_control_planes_store_is_read_and_stays_as_it_was_left() {
    let mut server = Server::start_with(&["--sim-pairs", "2"]);
    server.good(&["freeze", "--reason", "somebody looked"]);
    server.kill();
    let home = server.directory.path().join("home");
    let before = files(&home);
    assert!(
        before.keys().any(|path| path.ends_with("-wal")),
        "its last words are in the log: {:?}",
        before.keys()
    );

    let fleet = server.good(&["debug"]);
    for part in ["no control plane runs", "2 pairs", "somebody looked", "ALERT"] {
        assert!(fleet.contains(part), "{part}: {fleet}");
    }
    assert!(server.good(&["debug", "pairs"]).contains("acct-0002"));
    assert!(server.good(&["debug", "operations"]).contains("Nothing has been done yet."));
    assert!(server.good(&["debug", "incidents"]).contains("no incidents"));
    let audit = server.good(&["debug", "audit"]);
    assert!(audit.contains("automation.freeze") && audit.contains("person-operator"), "{audit}");
    assert!(server.good(&["debug", "verify"]).contains("The trail is whole"));
    let one = server.json(&["debug", "audit", "--limit", "1"]);
    assert_eq!((one["found"].as_array().unwrap().len(), &one["store"]["serverRuns"]), (1, &json!(false)));
    assert_eq!(files(&home), before, "it was only looked at");

    server.start_again(&[]);
    let beside = server.json(&["debug", "fleet"]);
    assert_eq!((&beside["store"]["serverRuns"], &beside["found"]["pairsTotal"]), (&json!(true), &json!(2)));
}

#[test]
fn a_trail_that_was_touched_and_a_home_without_a_fleet_are_said() {
    let mut server = Server::start();
    server.kill();
    let home = server.directory.path().join("home");
    let database = rusqlite::Connection::open(home.join("store/gatewayforge.db")).unwrap();
    database
        .execute("UPDATE audit SET entry_json = replace(entry_json, 'service', 'person') WHERE seq = 1", [])
        .unwrap();
    drop(database);
    let touched = server.run(&["debug", "verify"]);
    assert_eq!(touched.code, 1, "{}", touched.out);
    assert!(
        touched.out.contains("NOT WHOLE") && touched.err.contains("not whole"),
        "{}{}",
        touched.out,
        touched.err
    );

    fs::remove_file(home.join("store/gatewayforge.db")).unwrap();
    let none = server.run(&["debug"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("gatewayforge.db"), "{}", none.err);
}
