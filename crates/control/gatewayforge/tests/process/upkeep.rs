//! A pin that is set while a rollout runs, at the program as an operator uses it.

use crate::run::{home, start_with};
use serde_json::{Value, json};

#[test]
fn a_pin_that_is_set_meanwhile_holds_back_the_rest_and_the_answer_says_so() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pace", "0.01", "--sim-pairs", "4"]);
    let patch = json!({"tts": {"auto": "always"}});
    let order = json!({
        "patch": patch, "description": "a test", "targets": "all", "strategy": "canary", "canarySizes": [1],
    });
    let begun = running.confirmed("gf_config_push", order);
    let id = begun["operationId"].clone();
    let path = format!("/v1/operations/{}", id.as_str().unwrap_or_else(|| panic!("{begun}")));
    // The first of them is looked at for some seconds before the others begin.
    let lanes = running.ask("GET", &path, json!(null)).1["lanes"].clone();
    let last = lanes.as_array().unwrap().last().unwrap();
    assert_eq!(last["state"], "waiting", "{lanes}");
    let account = last["target"].as_str().unwrap();
    let pin = format!("/v1/gateways/{account}/pin");
    assert_eq!(running.ask("PUT", &pin, json!({"reason": "their launch is today"})).0, 200);

    let ended = running.ended(&id);
    assert_eq!(ended["state"], "PARTIAL", "{ended}");
    let skipped: Vec<&Value> = ended["skipped"].as_array().unwrap().iter().collect();
    assert_eq!(skipped.len(), 1, "{ended}");
    assert!(skipped[0].to_string().contains("their launch is today"), "{ended}");
    assert!(ended["summary"].as_str().unwrap().contains(account), "{ended}");

    assert_eq!(running.ask("DELETE", &pin, json!(null)).0, 200);
    assert_eq!(running.ask("POST", &format!("{path}/retry"), json!({})).0, 200);
    assert_eq!(running.ended(&id)["state"], "DONE");
}
