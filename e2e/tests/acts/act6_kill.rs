//! `kill -9` of the control plane in the middle of the work: it goes on where it was, nothing is made twice, and the
//! gateways serve throughout.

use clawops_e2e::{Universe, fleet::Pair, processes, wait};
use serde_json::Value;
use std::time::Duration;

const QUIET_WITHIN: Duration = Duration::from_secs(300);

pub fn in_the_middle_of_provisioning(universe: &Universe) {
    await_quiet(universe);
    let others = serving(universe);
    let started = universe.json(&["provision", "--count", "1", "--tier", "nano", "--yes", "--no-wait"]);
    let operation = operation_of(&started);
    universe.kill("gatewayforge");
    let lives = |(_, pid): &(String, i32)| processes::lives(*pid);
    assert!(others.iter().all(lives), "a dead control plane stops no gateway: {others:?}");
    universe.start(&[]);
    let ended = universe.json(&["op", "watch", &operation]);
    assert_eq!(ended["state"].as_str().map(str::to_uppercase).as_deref(), Some("DONE"), "{ended}");
    assert_eq!(ended["instancesTotal"], 2, "one pair, not two: {ended}");
    assert_eq!(serving(universe).len(), others.len() + 1, "one more primary");
    let account = ended["accountIds"][0].as_str().unwrap_or_default().to_owned();

    let started = universe.json(&["teardown", &account, "--yes", "--no-wait"]);
    universe.kill("gatewayforge");
    universe.start(&[]);
    let ended = universe.json(&["op", "watch", &operation_of(&started)]);
    assert_eq!(ended["archives"].as_array().map(Vec::len), Some(1), "one archive, not two: {ended}");
    assert_eq!(serving(universe), others, "and everybody else still has the process that they had");
}

pub fn in_the_middle_of_a_push(universe: &Universe) {
    await_quiet(universe);
    let before = serving(universe);
    let patch = "{\"logging\": {\"consoleLevel\": \"warn\"}}";
    let started = universe.json(&["push", "--patch", patch, "--batch-size", "1", "--yes", "--no-wait"]);
    universe.kill("gatewayforge");
    universe.start(&[]);
    let ended = universe.json(&["op", "watch", &operation_of(&started)]);
    assert_eq!(ended["state"].as_str().map(str::to_uppercase).as_deref(), Some("DONE"), "{ended}");
    assert_eq!(serving(universe), before);
    is_whole(universe);
}

/// Every other kind of operation that a person can ask for, one after the other.
pub fn in_the_middle_of_each_other_kind(universe: &Universe) {
    let mut accounts: Vec<_> = universe.gateways().iter().map(|gateway| Pair::of(gateway).account).collect();
    accounts.sort();
    let pairs = accounts.len();
    let account = accounts.remove(0);
    let kinds: [&[&str]; 6] = [
        &["rollback"],
        &["restart", "--account", &account],
        &["failover", &account],
        &["resize", &account, "--tier", "pro"],
        &["teardown", &account],
        &["restore", &account],
    ];
    for kind in kinds {
        await_quiet(universe);
        let started = universe.json(&[kind, &["--yes", "--no-wait"]].concat());
        universe.kill("gatewayforge");
        universe.start(&[]);
        let ended = universe.json(&["op", "watch", &operation_of(&started)]);
        assert_eq!(
            ended["state"].as_str().map(str::to_uppercase).as_deref(),
            Some("DONE"),
            "{kind:?}: {ended}"
        );
    }
    await_quiet(universe);
    assert_eq!(serving(universe).len(), pairs, "as many primaries as before");
    is_whole(universe);
}

fn is_whole(universe: &Universe) {
    let verified = universe.json(&["audit", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

fn operation_of(reply: &Value) -> String {
    // A rollback answers with the operation itself.
    let id = reply["operationId"]
        .as_str()
        .or(reply["id"].as_str())
        .unwrap_or_else(|| panic!("no operation was started: {reply}"));
    id.to_owned()
}

/// The living processes of all primaries. A standby is started anew whenever it takes in its primary's memory.
fn serving(universe: &Universe) -> Vec<(String, i32)> {
    let gateways = universe.gateways();
    let primaries = gateways.iter().filter_map(|gateway| gateway["primary"]["instanceId"].as_str());
    let mut serving: Vec<_> =
        primaries.map(|instance| (instance.to_owned(), universe.instance_pid(instance))).collect();
    serving.sort();
    serving
}

/// What an earlier act left to be repaired is repaired: an account is changed by one operation at a time.
fn await_quiet(universe: &Universe) {
    universe.await_all_protected();
    wait::until("no operation runs", QUIET_WITHIN, || {
        let running = universe.get("/v1/operations?running=true");
        (running["total"] == 0).then_some(())
    });
}
