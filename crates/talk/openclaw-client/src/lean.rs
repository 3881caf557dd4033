//! Settings that make an OpenClaw gateway start faster, smaller and quieter, without changing what it can say.
//!
//! Measured on the real one; `docs/ops-gateway.md` has the numbers.

use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::Path;

/// A configuration to merge a gateway's own settings into.
pub fn lean_defaults() -> Value {
    json!({
        "gateway": { "controlUi": { "enabled": false } },
        "agents": { "defaults": { "heartbeat": { "every": "0m" } } },
        // The memory plugin keeps a cron job that makes model calls every night.
        "plugins": { "slots": { "memory": "none" } },
        // Otherwise every agent gets a weekly job that makes model calls.
        "skills": { "workshop": { "autonomous": { "mode": "off" } } },
        "update": { "checkOnStart": false },
    })
}

/// Arguments for Node itself, before OpenClaw's launcher.
pub fn node_arguments() -> &'static [&'static str] {
    &[]
}

/// The whole environment of a gateway besides `PATH` and `HOME`.
pub fn environment(state: &Path, config: &Path, compile_cache: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("OPENCLAW_STATE_DIR", state.into()),
        ("OPENCLAW_CONFIG_PATH", config.into()),
        ("OPENCLAW_DISABLE_BONJOUR", "1".into()),
        ("OPENCLAW_EXEC_SHELL_SNAPSHOT", "0".into()),
        ("OPENCLAW_NO_AUTO_UPDATE", "1".into()),
        ("OPENCLAW_NO_RESPAWN", "1".into()),
        // Restarting and updating is ours alone.
        ("OPENCLAW_SUPERVISOR_MODE", "external".into()),
        ("NODE_COMPILE_CACHE", compile_cache.into()),
        // The launcher would otherwise start a second Node only to move the cache's folder.
        ("OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED", "1".into()),
        ("NO_COLOR", "1".into()),
    ]
}

/// Lays `over` on `base`: objects are merged, everything else is replaced.
pub fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_own_settings_win() {
        let mut config = lean_defaults();
        merge(
            &mut config,
            json!({ "plugins": { "slots": { "memory": "core" }, "allow": ["x"] }, "update": 1 }),
        );
        assert_eq!(config["plugins"], json!({ "slots": { "memory": "core" }, "allow": ["x"] }));
        assert_eq!(config["update"], 1);
        assert_eq!(config["gateway"]["controlUi"]["enabled"], false);
    }
}
