//! What every account's OpenClaw is configured with before its own keys: the offline model of this machine.

use serde_json::{Value, json};

/// `brain_port` is where claw-brain answers; the key goes into files that only the instance's owner can read.
pub fn base_configuration(brain_port: u16, brain_key: &str) -> Value {
    json!({
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
        "agents": {"defaults": {"model": {"primary": "claw-brain/companion"}}},
    })
}
