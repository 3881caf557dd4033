//! A control plane whose fleet is in a real PostgreSQL, and a second one that wants it too.

use crate::run::{command, home, running};
use gf_postgres_cluster::Cluster;
use serde_json::json;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Command, Output},
};

pub fn on(home: &Path, url: &str) -> Command {
    let mut command = command(home);
    command.args(["--store", url]).env_remove("PGPASSFILE");
    command
}

pub fn refusal(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "it never said that it is ready");
    String::from_utf8(output.stderr).unwrap()
}

fn private(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_fleet_on_postgres_outlives_its_process() {
    let mut cluster = Cluster::start();
    let url = cluster.database("fleet");
    let rules = "local fleet gatewayforge scram-sha-256\nlocal all all trust\n";
    fs::write(cluster.directory().join("data/pg_hba.conf"), rules).unwrap();
    cluster.sql("postgres", "ALTER USER gatewayforge PASSWORD 'korrekt pferd'; SELECT pg_reload_conf()");
    cluster.until("a password is asked for", |cluster| {
        let output = cluster.psql("fleet").args(["--no-password", "--command", "SELECT 1"]).output().unwrap();
        !output.status.success()
    });
    let (directory, home) = home();
    let (password, pgpass) = (directory.path().join("password"), directory.path().join("pgpass"));
    private(&password, "korrekt pferd\n");
    private(&pgpass, "*:*:fleet:gatewayforge:korrekt pferd\n");
    let with_file = || {
        let mut command = on(&home, &url);
        command.arg("--store-password-file").arg(&password);
        command
    };
    let with_pgpass = |home: &Path| {
        let mut command = on(home, &url);
        command.env("PGPASSFILE", &pgpass);
        command
    };

    let said = refusal(on(&home, &url).output().unwrap());
    assert!(said.contains("--store-password-file") && !said.contains("pferd"), "{said}");
    let first = running(with_file(), &home);
    assert_eq!(first.ask("POST", "/v1/people", json!({"firstName": "Bo", "role": "viewer"})).0, 200);
    assert!(!home.join("store/gatewayforge.db").exists(), "there is one store");

    let other = directory.path().join("other");
    let said = refusal(with_pgpass(&other).output().unwrap());
    assert!(said.contains("does not hold the keys of this fleet"), "{said}");
    first.kill();

    let again = running(with_pgpass(&home), &home);
    assert_eq!(again.ready["generation"], 2, "its lease had ended");
    assert_eq!(again.ask("GET", "/v1/people", json!(null)).1["total"], 2);
    let verified = again.ask("GET", "/v1/audit/verify", json!(null)).1;
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(again.end(), 0);

    let said = refusal(command(&home).output().unwrap());
    assert!(said.contains("is kept in postgres://gatewayforge@") && said.contains("--store"), "{said}");
    assert!(!home.join("store/gatewayforge.db").exists());
    cluster.stop();
    let said = refusal(with_file().output().unwrap());
    assert!(said.contains("cannot be reached") && said.contains("start it"), "{said}");
}

#[test]
fn a_control_plane_that_was_paused_and_replaced_ends_by_itself() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (directory, home) = home();
    let first = running(on(&home, &url), &home);
    first.signal("STOP");
    // What is sealed in the store opens with the same keys only.
    let other = directory.path().join("other");
    fs::create_dir(&other).unwrap();
    assert!(Command::new("cp").arg("-a").arg(home.join("keys")).arg(&other).status().unwrap().success());
    let second = running(on(&other, &url), &other);
    assert_eq!(second.ready["generation"], 2);
    first.signal("CONT");
    assert_eq!(first.ended_by_itself(), 1);
    assert_eq!(second.end(), 0);
}

#[test]
fn an_address_with_a_password_or_of_another_machine_in_the_clear_is_refused_and_not_repeated() {
    let (_directory, home) = home();
    let said = refusal(on(&home, "postgres://gf:korrektpferd@localhost/fleet").output().unwrap());
    assert!(said.contains("--store-password-file") && !said.contains("korrektpferd"), "{said}");
    let said = refusal(on(&home, "postgres://gf@192.0.2.7/fleet?sslmode=disable").output().unwrap());
    assert!(said.contains("192.0.2.7 is another machine") && said.contains("verify-full"), "{said}");
    assert!(!home.exists(), "nothing was made for a start that was refused");
}

#[test]
fn a_fleet_on_postgres_is_looked_at_and_never_written() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (_directory, home) = home();
    let mut first = on(&home, &url);
    first.args(["--sim-pairs", "2"]);
    running(first, &home).kill();
    let counted = |cluster: &Cluster| {
        let rows =
            "SELECT (SELECT count(*) FROM gatewayforge.audit), (SELECT count(*) FROM gatewayforge.objects)";
        let output = cluster.psql("fleet").args(["-At", "--command", rows]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = counted(&cluster);
    let look = |what: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayforge"));
        command.args(["debug", what, "--store", &url, "--home"]).arg(&home).env_remove("PGPASSFILE");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let fleet = look("fleet");
    assert_eq!((&fleet["found"]["pairsTotal"], &fleet["store"]["serverRuns"]), (&json!(2), &json!(false)));
    assert_eq!(look("verify")["found"]["ok"], true);
    assert!(!look("audit")["found"].as_array().unwrap().is_empty());
    assert_eq!(counted(&cluster), before, "nothing was written");

    // Without being told where the fleet is, nothing else is taken for it.
    let mut lost = Command::new(env!("CARGO_BIN_EXE_gatewayforge"));
    lost.args(["debug", "fleet", "--home"]).arg(&home).env_remove("CLAWOPS_STORE");
    let said = String::from_utf8(lost.output().unwrap().stderr).unwrap();
    assert!(said.contains("CLAWOPS_STORE"), "{said}");
}
