//! A state that cannot be used, and one that cannot be written for a while.

use crate::run::{command, home, running, start};
use rusqlite::{Connection, types::ValueRef};
use serde_json::json;
use std::{fs, path::Path, process::Command};

fn database(home: &Path) -> std::path::PathBuf {
    home.join("store/gatewayforge.db")
}

/// Everything in the database, as bytes would have it.
pub fn dump(home: &Path, tables: &[&str]) -> Vec<String> {
    let connection = Connection::open(database(home)).unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let mut all = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = all.column_count();
        let mut found = all.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cell = |n: usize| match row.get_ref_unwrap(n) {
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            rows.push(format!("{table} {:?}", (0..columns).map(cell).collect::<Vec<_>>()));
        }
    }
    rows
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (_directory, home) = home();
    start(&home).end();
    let newer = Connection::open(database(&home)).unwrap();
    let known: i64 =
        newer.query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get(0)).unwrap();
    newer.execute("UPDATE meta SET value = ?1 WHERE key = 'schema'", [known + 1]).unwrap();
    newer.close().unwrap();
    let all = ["meta", "objects", "audit", "audit_targets", "sealed"];
    let before = dump(&home, &all);
    let output = command(&home).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for needed in
        ["newer version", &format!("schema {}", known + 1), &format!("schema {known}"), "restore a copy"]
    {
        assert!(said.contains(needed), "{said} lacks {needed:?}");
    }
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "it never said that it is ready");
    assert_eq!(dump(&home, &all), before);
    assert!(!home.join("run/gatewayforge.json").exists());
}

/// No file of the process may grow beyond what it has now: every write to the store fails as on a full disk, while
/// what is there can be read.
fn limit(pid: u32, bytes: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--fsize={bytes}:unlimited")])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_store_that_cannot_be_written_is_said_changes_nothing_and_is_used_again_when_it_can() {
    let (_directory, home) = home();
    let mut shell = Command::new("sh");
    // A process that asks for more than its limit is killed unless it says that it wants an error instead.
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    let inner = command(&home);
    shell.arg(inner.get_program()).args(inner.get_args());
    let running = running(shell, &home);
    let person = json!({"firstName": "Bo", "role": "viewer"});
    let people = || running.ask("GET", "/v1/people", json!(null)).1["total"].clone();
    assert_eq!(people(), 1);
    // Reconcilers write records of their own while this begins.
    let tables = ["objects WHERE kind = 'Person'", "audit", "sealed"];
    let before = dump(&home, &tables);

    limit(running.pid(), "1");
    let (status, refused) = running.ask("POST", "/v1/people", person.clone());
    assert_eq!((status, refused["error"]["code"].as_str()), (503, Some("store_unavailable")), "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("gatewayforge.db") && message.contains("nothing was changed"), "{message}");
    assert_eq!(people(), 1, "it reads on");
    assert_eq!(running.ask("GET", "/v1/fleet/status", json!(null)).0, 200);
    assert_eq!(dump(&home, &tables), before);

    limit(running.pid(), "unlimited");
    assert_eq!(running.ask("POST", "/v1/people", person).0, 200);
    assert_eq!(people(), 2);
    let verified = running.ask("GET", "/v1/audit/verify", json!(null)).1;
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(running.end(), 0);
    assert!(fs::exists(database(&home)).unwrap());
}
