//! One call of claw-brain, over HTTP as OpenClaw calls it.

use crate::report::Row;
use crate::stats::{median, milliseconds, percentile, timed};
use clawops_e2e::{Universe, rest};
use serde_json::json;

const RUNS: usize = 200;
const SENTENCES: [&str; 4] = [
    "How is the fleet?",
    "Provision 2 standard accounts for COMPANION beta users.",
    "Tear down the second account.",
    "push this config to everyone: {\"logging\": {\"level\": \"debug\"}}",
];

pub fn calls() -> Vec<Row> {
    let universe = Universe::up();
    let (addr, key) = (format!("127.0.0.1:{}", universe.port_base() + 11), universe.key("brain.key"));
    let tools: Vec<_> = gf_tools::TOOLS
        .iter()
        .map(|tool| {
            json!({ "type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": (tool.parameters)(),
            } })
        })
        .collect();
    let took: Vec<f64> = (0..RUNS)
        .map(|run| {
            let sentence = SENTENCES[run % SENTENCES.len()];
            let body = json!({ "model": "operator", "tools": tools, "messages": [{ "role": "user", "content": sentence }] });
            milliseconds(timed(|| call(&addr, &key, &body.to_string())).0)
        })
        .collect();
    let how = format!("{RUNS} calls with all tools, connection included");
    vec![
        Row {
            name: "claw-brain, one call, p50",
            value: median(&took),
            unit: "ms",
            target: 20.0,
            how: how.clone(),
        },
        Row {
            name: "claw-brain, one call, p99",
            value: percentile(&took, 99.0),
            unit: "ms",
            target: 20.0,
            how,
        },
    ]
}

fn call(addr: &str, key: &str, body: &str) {
    let (status, said) = rest::exchange(addr, "POST /v1/chat/completions", key, body);
    assert_eq!(status, 200, "{said}");
}
