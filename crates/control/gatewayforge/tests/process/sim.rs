//! A simulated fleet behind the real process: what is asked of its nodes, what becomes of them, what it costs.

use crate::run::{Running, home, start_with};
use serde_json::{Value, json};

fn whole(running: &Running, instances: u64) -> Value {
    running.until("the fleet is there", || {
        let nodes = running.ask("GET", "/v1/nodes?limit=1000", json!(null)).1;
        let here = nodes["items"].as_array().unwrap().iter().filter(|node| node["connected"] == true).count();
        (here as u64 == instances).then_some(nodes)
    })
}

#[test]
fn a_live_question_asks_the_node_and_any_other_says_how_old_the_answer_is() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "1"]);
    whole(&running, 2);
    let id = running.ask("GET", "/v1/gateways", json!(null)).1["items"][0]["primary"].clone();
    let ask = |live: bool| running.tool("gf_instance_health", json!({"instanceId": id, "live": live}));
    let live = ask(true);
    assert_eq!(live["live"], true, "{live}");
    assert!(live["ageSeconds"].as_f64().unwrap() < 30.0 && live["checks"][0]["ok"] == true, "{live}");
    assert!(live["resources"]["cpuPercent"].is_number(), "{live}");
    assert!(live["summary"].as_str().unwrap().contains("asked now"), "{live}");
    let old = ask(false);
    assert_eq!(old["live"], false);
    assert!(old["measuredAt"].is_string() && old["ageSeconds"].is_number(), "{old}");
    assert!(old["summary"].as_str().unwrap().contains("ago"), "{old}");
    let path = format!("/v1/instances/{}?live=true", id.as_str().unwrap());
    assert_eq!(running.ask("GET", &path, json!(null)).1["status"]["live"], true);
}

#[test]
fn the_nodes_of_machines_that_were_deleted_are_forgotten() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "2"]);
    whole(&running, 4);
    let gone = json!({"accountIds": ["acct-0002"], "reason": "operator_request"});
    let ended = running.ended(&running.confirmed("gf_teardown", gone)["operationId"]);
    assert_eq!(ended["state"], "DONE", "{ended}");
    let nodes = running.ask("GET", "/v1/nodes", json!(null)).1;
    assert_eq!(nodes["total"], 2, "{nodes}");
    assert!(nodes["items"].as_array().unwrap().iter().all(|node| node["instances"] == 1), "{nodes}");
    // COMPANION listens nowhere: that is said, and nothing is claimed to be delivered.
    assert_eq!((&ended["webhooksDelivered"], &ended["webhooksWaiting"]), (&json!(0), &json!(1)), "{ended}");
    assert!(ended["summary"].as_str().unwrap().contains("address is not configured"), "{ended}");
}

#[test]
fn the_shipped_fleet_costs_what_its_records_say() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "847", "--monthly-budget", "5100"]);
    let reply = running.tool("gf_cost_report", json!({"period": "week"}));
    assert_eq!(
        (&reply["actual"], &reply["projected"]),
        (&json!("$1,247"), &json!("$1,190")),
        "{}",
        reply["summary"]
    );
    assert_eq!((&reply["projection"], &reply["deviationPercent"]), (&json!("budget"), &json!(4.8)));
    let waste: Vec<_> =
        reply["waste"].as_array().unwrap().iter().map(|i| (i["kind"].clone(), i["count"].clone())).collect();
    let expected =
        [("idle", 31), ("oversized", 18), ("arbitrage", 6)].map(|(kind, count)| (json!(kind), json!(count)));
    assert_eq!(waste, expected);
    assert_eq!(reply["recoverable"], "$492/month");
    let few = running.tool("gf_cost_report", json!({"minSavings": 100}));
    assert_eq!(few["recoverable"], "$449/month", "the first two: {}", few["summary"]);
}

#[test]
fn two_people_must_agree_where_that_is_asked_for() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "20", "--second-person-over-cost"]);
    let fresh = running.ask("POST", "/v1/people", json!({"firstName": "Bea", "role": "approver"})).1;
    let bea = fresh["key"].as_str().unwrap();
    let much = json!({"count": 40, "tier": "enterprise"});
    let asked = running.confirmed("gf_provision", much);
    let code = asked["approval"]["code"].as_str().unwrap_or_else(|| panic!("it was started: {asked}"));
    assert!(asked["approval"]["question"].as_str().unwrap().contains("Another person"), "{asked}");
    let grant = format!("/v1/approvals/{code}/grant");
    let (status, own) = running.ask("POST", &grant, json!(null));
    assert_eq!((status, own["error"]["code"].as_str()), (403, Some("second_person_needed")), "{own}");
    assert_eq!(running.ask("GET", &format!("/v1/approvals/{code}"), json!(null)).1["state"], "open");
    let (status, granted) = running.ask_as(bea, "POST", &grant, json!(null));
    assert_eq!(status, 200, "{granted}");
    assert_eq!(granted["approval"]["answeredBy"], "person-bea");
}
