//! One trace id followed from a request to the operation, its audit rows, the provider, the machines and every log.

use crate::run::{command, heard, home};
use serde_json::{Value, json};
use std::fs::{self, File};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn one_id_is_followed_from_the_request_to_the_provider_and_the_machines() {
    let (directory, home) = home();
    let log = directory.path().join("log");
    let mut process = command(&home);
    process.args(["--log-json", "--sim-pace", "0.01", "--sim-pairs", "1"]);
    process.stderr(File::create(&log).unwrap());
    let running = heard(process, &home);
    let header = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let order = json!({"count": 1, "tier": "nano"}).to_string();
    let path = "/v1/tools/gf_provision?confirm=true";
    let answer = running.try_send("POST", path, &running.key(), &header, &order).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("traceparent: 00-{TRACE}-")), "it is told to who asked: {answer}");
    let operation = running.ask("GET", "/v1/operations?limit=1", json!(null)).1["items"][0].clone();
    assert_eq!(operation["trace"], TRACE, "{operation}");
    let id = operation["id"].clone();
    assert_eq!(running.ended(&id)["state"], "DONE");
    assert_eq!(running.tool("gf_operation", json!({"id": id, "action": "get"}))["trace"], TRACE);

    let rows = running.ask("GET", "/v1/audit?limit=500", json!(null)).1;
    let of_it: Vec<&Value> =
        rows["items"].as_array().unwrap().iter().filter(|row| row["entry"]["operation"] == id).collect();
    assert!(of_it.len() >= 2, "{rows}");
    assert!(of_it.iter().all(|row| row["entry"]["trace"] == TRACE), "{of_it:?}");

    // The same, asked for by the id alone.
    let asked = running.ask("GET", &format!("/v1/audit?trace={TRACE}"), json!(null)).1;
    let found = asked["items"].as_array().unwrap();
    assert!(found.len() >= of_it.len() && found.iter().all(|row| row["entry"]["trace"] == TRACE), "{asked}");
    let told = running.ask("GET", &format!("/v1/traces/{TRACE}"), json!(null)).1;
    let items = told["items"].as_array().unwrap();
    let at = |kind: &str, what: &str| {
        let found = items.iter().position(|item| item["kind"] == kind && item["what"] == what);
        found.unwrap_or_else(|| panic!("no {kind} {what}: {told}"))
    };
    let order = [at("operation", "provision"), at("step", "create_instance"), at("step", "await_active")];
    assert!(order.is_sorted(), "{told}");
    let made = &items[at("step", "create_instance")];
    assert!(made["provider"].is_string() && made["node"].is_string() && made["state"] == "done", "{made}");
    let nobody = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(running.ask("GET", &format!("/v1/traces/{nobody}"), json!(null)).0, 404);
    assert_eq!(running.ask("GET", "/v1/traces/nonsense", json!(null)).0, 400);

    running.end();
    let lines = fs::read_to_string(&log).unwrap();
    let traced: Vec<Value> = lines
        .lines()
        .filter(|line| line.contains(TRACE))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}")))
        .collect();
    let says = |field: &str, word: &str| traced.iter().any(|line| line["fields"][field] == word);
    assert!(says("verb", "provision"), "the operation began: {traced:?}");
    assert!(says("message", "a place is ordered"), "the provider was asked: {traced:?}");
    assert!(traced.iter().any(|line| line["fields"]["node"].is_string()), "a machine was told: {traced:?}");
}

#[test]
fn a_request_without_a_trace_gets_one_and_a_malformed_one_is_replaced() {
    let (_directory, home) = home();
    let running = crate::run::start(&home);
    for header in ["", "traceparent: 00-nonsense-01\r\n"] {
        let answer = running.try_send("GET", "/v1/fleet/status", &running.key(), header, "").unwrap();
        let told = answer.lines().find_map(|line| line.strip_prefix("traceparent: 00-")).expect(&answer);
        let trace = told.split('-').next().unwrap();
        assert!(trace.len() == 32 && !trace.contains("nonsense"), "{told}");
    }
}
