//! Real nodes that become another release of gf-clawnode, ring by ring, by word of the real control plane.

use crate::{
    handover::{connected, link},
    node::{Node, released, this_build},
    run::{Running, home, start_with},
};
use serde_json::{Value, json};

/// What each node says that it runs.
fn versions(running: &Running, nodes: &[Node]) -> Vec<Value> {
    nodes.iter().map(|node| connected(running, &node.name)["software"].clone()).collect()
}

fn update(running: &Running, to: &str) -> (u16, Value) {
    let order = json!({ "to": to, "ringSizes": [1], "settleSeconds": 1 });
    running.ask("POST", "/v1/nodes/update?confirm=true", order)
}

#[test]
fn real_nodes_become_another_release_ring_by_ring_and_stay_what_they_are_where_it_does_not_come_up() {
    let (_directory, home) = home();
    let ports = (30_000 + 100 * (std::process::id() % 100)).to_string();
    let running = start_with(&home, &["--port-base", &ports]);
    let key = released(&home, "0.2.0", &this_build());
    let nodes = [("node-local-a", "local-a"), ("node-local-b", "local-b")].map(|(name, provider)| {
        Node::expected(&running, &home, name, provider).believing(&key).start(&link(&running))
    });
    let first = versions(&running, &nodes);
    let order = json!({ "count": 1, "tier": "nano" });
    let ended = running.ended(&running.confirmed("gf_provision", order)["operationId"]);
    assert_eq!(ended["state"], "DONE", "{ended}");
    let pair = || running.tool("gf_pair_status", json!({ "accountId": "acct-0001" }));
    let whole = || {
        running.until("the pair is whole", || Some(pair()).filter(|pair| pair["condition"] == "protected"))
    };
    let before = whole();
    // In which processes its two halves run.
    let runs = |pair: &Value| {
        ["primary", "standby"].map(|half| {
            let id = pair[half]["instanceId"].as_str().unwrap();
            nodes.iter().find_map(|node| node.openclaw(id)).expect("it runs nowhere")
        })
    };
    let processes = runs(&before);

    let (status, unknown) = update(&running, "9.9.9");
    assert_eq!(status, 404, "{unknown}");
    assert!(unknown["error"]["fix"].as_str().unwrap().contains("releases/9.9.9"), "{unknown}");

    let (status, begun) = update(&running, "0.2.0");
    assert_eq!((status, &begun["rings"]), (200, &json!([1, 1])), "{begun}");
    let ended = running.ended(&begun["operationId"]);
    assert_eq!(ended["state"], "DONE", "{ended}");
    assert_ne!(first, versions(&running, &nodes));
    assert_eq!(versions(&running, &nodes), ["0.2.0", "0.2.0"]);
    assert_eq!(runs(&whole()), processes, "a gateway was started anew for it");

    released(&home, "0.3.0", "#!/bin/sh\nexit 3\n");
    let ended = running.ended(&update(&running, "0.3.0").1["operationId"]);
    assert_eq!(ended["state"], "FAILED", "{ended}");
    assert_eq!(versions(&running, &nodes), ["0.2.0", "0.2.0"]);
    assert_eq!(runs(&whole()), processes);
    let told = running.ask("GET", "/v1/audit?limit=200", json!(null)).1.to_string();
    assert!(told.contains("it ended before it had shaken hands"), "{told}");
}
