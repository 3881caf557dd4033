//! Several control planes of one fleet, as the processes that operators have: who serves, who decides, who takes over.

use crate::{
    postgres::{on, refusal},
    run::{Running, home, running},
};
use gf_postgres_cluster::Cluster;
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
};

pub fn join(home: &Path, from: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayforge"));
    command.args(["join", "--home"]).arg(home).arg("--from").arg(from).output().unwrap()
}

pub fn joined(home: &Path, from: &Path) {
    let output = join(home, from);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn health(of: &Running) -> Value {
    of.ask("GET", "/healthz", json!(null)).1
}

fn people(of: &Running) -> Value {
    of.ask("GET", "/v1/people", json!(null)).1["total"].clone()
}

pub fn until_it_leads(follower: &Running) -> Value {
    follower
        .until("the follower leads", || Some(health(follower)).filter(|health| health["role"] == "leader"))
}

fn add(to: &Running, name: &str) -> (u16, Value) {
    to.ask("POST", "/v1/people", json!({"firstName": name, "role": "viewer"}))
}

#[test]
fn a_second_control_plane_serves_reads_and_takes_over_when_the_first_is_killed() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (directory, home) = home();
    let other = directory.path().join("other");
    let leader = running(on(&home, &url), &home);
    assert_eq!(leader.ready["role"], "leader");
    assert_eq!(add(&leader, "Bo").0, 200);

    joined(&other, &home);
    let follower = running(on(&other, &url), &other);
    assert_eq!((&follower.ready["role"], &follower.ready["generation"]), (&json!("follower"), &json!(0)));
    assert_eq!(people(&follower), 2, "it read the fleet");
    assert_eq!(add(&leader, "Cy").0, 200);
    follower.until("the follower knows", || (people(&follower) == 3).then_some(json!(null)));
    let answer = follower.get("/v1/people", &follower.key());
    assert!(answer.contains("clawops-behind: 0") && answer.contains("clawops-as-of: 20"), "{answer}");
    let status = |of: &Running| of.tool("gf_fleet_status", json!({}));
    let (of_leader, of_follower) = (status(&leader), status(&follower));
    assert_eq!(of_leader["pairs"], of_follower["pairs"]);

    let (status, refused) = add(&follower, "Di");
    assert_eq!((status, &refused["error"]["code"]), (421, &json!("not_leading")), "{refused}");
    assert_eq!(refused["error"]["value"], leader.ready["endpoint"]);
    assert_eq!(health(&follower)["leader"], leader.ready["endpoint"]);

    leader.kill();
    until_it_leads(&follower);
    assert_eq!(add(&follower, "Di").0, 200);
    assert_eq!(people(&follower), 4);
    let verified = follower.ask("GET", "/v1/audit/verify", json!(null)).1;
    assert_eq!(verified["ok"], true, "{verified}");

    // Whoever was killed comes back as one that follows.
    let back = running(on(&home, &url), &home);
    assert_eq!(back.ready["role"], "follower");
    assert_eq!(people(&back), 4);
    assert_eq!(back.end(), 0, "a follower that is asked to end ends");
    assert_eq!(follower.end(), 0);
}

#[test]
fn a_leader_that_was_paused_and_replaced_ends_and_the_follower_goes_on() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (directory, home) = home();
    let other = directory.path().join("other");
    let leader = running(on(&home, &url), &home);
    joined(&other, &home);
    let follower = running(on(&other, &url), &other);
    leader.signal("STOP");
    until_it_leads(&follower);
    assert_eq!(add(&follower, "Bo").0, 200);
    leader.signal("CONT");
    assert_eq!(leader.ended_by_itself(), 1);
    assert_eq!(add(&follower, "Cy").0, 200);
    assert_eq!(follower.end(), 0);
}

#[test]
fn only_a_home_with_the_fleets_keys_may_follow_it() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (directory, home) = home();
    let leader = running(on(&home, &url), &home);
    let stranger = directory.path().join("stranger");
    let said = refusal(on(&stranger, &url).output().unwrap());
    assert!(said.contains("gatewayforge join") && said.contains("control.key"), "{said}");
    assert!(!stranger.join("keys/control.key").exists(), "no key was made that is not the fleet's");
    joined(&stranger, &home);
    joined(&stranger, &home);
    let follower = running(on(&stranger, &url), &stranger);
    assert_eq!(follower.ready["role"], "follower");
    assert_eq!(follower.end(), 0);

    std::fs::write(stranger.join("keys/plugin.key"), "0123456789abcdef0123456789abcdef").unwrap();
    let said = refusal(on(&stranger, &url).output().unwrap());
    assert!(said.contains("plugin.key") && !said.contains("master.key"), "{said}");
    let said = String::from_utf8(join(&stranger, &home).stderr).unwrap();
    assert!(said.contains("belongs to another fleet"), "{said}");
    assert_eq!(leader.end(), 0);
}

#[test]
fn a_leader_outlives_a_database_that_is_away() {
    let mut cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (_directory, home) = home();
    let leader = running(on(&home, &url), &home);
    cluster.stop();
    let (status, refused) = add(&leader, "Bo");
    assert_eq!((status, &refused["error"]["code"]), (503, &json!("store_unavailable")), "{refused}");
    assert_eq!(people(&leader), 1, "it reads on");
    cluster.start_again();
    leader.until("it goes on", || (add(&leader, "Bo").0 == 200).then_some(json!(null)));
    let people = people(&leader).as_u64().unwrap();
    assert!(people >= 2, "{people}");
    assert_eq!(health(&leader)["generation"], 1, "nobody replaced it");
    assert_eq!(leader.end(), 0);
}
