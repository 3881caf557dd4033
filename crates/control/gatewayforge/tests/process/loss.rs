//! A database that went back to an older state, as seen by the real process: it remembers over a restart, decides nothing,
//! and goes on when an admin has accepted what is lost.

use crate::{
    postgres::on,
    run::{Running, home, running},
};
use gf_postgres_cluster::Cluster;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

fn health(of: &Running) -> Value {
    of.ask("GET", "/healthz", json!(null)).1
}

fn add(to: &Running, name: &str) -> u16 {
    to.ask("POST", "/v1/people", json!({"firstName": name, "role": "viewer"})).0
}

/// As a file system's snapshot would, while nothing runs on it.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// Files of signed heads that were moved aside.
fn aside(home: &Path) -> usize {
    let names = fs::read_dir(home.join("audit")).unwrap().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with("heads.lost-")).count()
}

#[test]
fn what_a_database_lost_is_remembered_over_a_restart_and_accepted_over_the_api() {
    let mut cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (data, saved) = (cluster.directory().join("data"), cluster.directory().join("saved"));
    let (_directory, home) = home();
    let start = || running(on(&home, &url), &home);
    let first = start();
    assert_eq!(add(&first, "Bo"), 200);
    assert_eq!(first.end(), 0);
    cluster.stop();
    copy(&data, &saved);
    cluster.start_again();

    let second = start();
    for name in ["Cy", "Di"] {
        assert_eq!(add(&second, name), 200);
    }
    assert_eq!(second.end(), 0, "what was acknowledged and signed is in the home now");
    cluster.stop();
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&saved, &data).unwrap();
    cluster.start_again();

    // Twice: what is known outlives the process that knew it.
    start().kill();
    let halted = start();
    let lost = halted.until("it says what is lost", || {
        Some(health(&halted)).filter(|health| health["role"] == "halted").map(|health| health["lost"].clone())
    });
    let (stored, known) = (lost["stored"].as_u64().unwrap(), lost["known"].as_u64().unwrap());
    assert!(stored + 2 <= known, "{lost}");
    assert_eq!(halted.ask("GET", "/v1/people", json!(null)).1["total"], 2, "it answers reads");
    assert_eq!(add(&halted, "Ed"), 503, "and decides nothing");
    assert_eq!(aside(&home), 0);

    let accept = |stored: u64| halted.ask("POST", "/v1/store/accept-loss", json!({ "stored": stored }));
    let (status, refused) = accept(known);
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("another_loss")), "{refused}");
    assert_eq!(accept(stored).0, 200);
    halted.until("it leads", || Some(health(&halted)).filter(|health| health["role"] == "leader"));
    let row = halted.until("the trail says so", || {
        let rows = halted.ask("GET", "/v1/audit?action=store.loss", json!(null)).1;
        rows["items"].as_array().and_then(|rows| rows.first().cloned())
    });
    let by = row["entry"]["detail"]["acceptedBy"].as_str().unwrap_or_default();
    assert!(by.contains("person-operator"), "{row}");
    assert_eq!(add(&halted, "Ed"), 200);
    let verified = halted.ask("GET", "/v1/audit/verify", json!(null)).1;
    assert_eq!(verified["findings"], json!([]), "what was signed of lost rows is judged no more: {verified}");
    assert_eq!(aside(&home), 1, "and is kept");
    assert_eq!(halted.end(), 0);
    let again = start();
    again.until("it leads as before", || Some(health(&again)).filter(|health| health["role"] == "leader"));
}
