//! What every account's OpenClaw is configured with before its own keys: the offline model of this machine, and nothing
//! that a gateway on a server cannot use.
//!
//! All of it is a default: a push may turn any of it on again, channels included.

use serde_json::{Map, Value, json};

/// Bundled plugins that act on a desktop, a phone or a browser beside the gateway; on a server there is none, and they
/// would be loaded at each boot.
const DESKTOP_PLUGINS: [&str; 8] = [
    "browser",
    "canvas",
    "cua-computer",
    "file-transfer",
    "geolocation",
    "github",
    "linux-node",
    "talk-voice",
];

/// `brain_port` is where claw-brain answers; the key goes into files that only the instance's owner can read.
pub fn base_configuration(brain_port: u16, brain_key: &str) -> Value {
    json!({
        "gateway": {"controlUi": {"enabled": false}},
        "models": {"mode": "merge", "providers": {"claw-brain": {
            "baseUrl": format!("http://127.0.0.1:{brain_port}/v1"),
            "apiKey": brain_key,
            "api": "openai-completions",
            "models": [{
                "id": "companion", "name": "COMPANION, offline", "reasoning": false, "input": ["text"],
                "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
                "contextWindow": 128_000, "maxTokens": 4096,
            }],
        }}},
        "agents": {"defaults": {
            "model": {"primary": "claw-brain/companion"},
            // A model call every half hour that nobody asked for.
            "heartbeat": {"every": "0m"},
        }},
        // A job each week that makes model calls.
        "skills": {"workshop": {"autonomous": {"mode": "off"}}},
        // Releases come with a rollout.
        "update": {"checkOnStart": false},
        "plugins": {"entries": plugins()},
    })
}

/// Named one by one: an allow-list would keep out what an operator pushes.
fn plugins() -> Value {
    let mut entries: Map<String, Value> =
        DESKTOP_PLUGINS.iter().map(|id| ((*id).to_owned(), json!({"enabled": false}))).collect();
    // Memory stays, without the model calls that it would make every night.
    entries.insert("memory-core".into(), json!({"config": {"dreaming": {"enabled": false}}}));
    entries.into()
}
