//! What of an OpenClaw configuration belongs to the place it runs in: port, token, log, workspace, channels.
//!
//! Everything else belongs to the account and is left alone.

use super::{Layout, Spec};
use gf_model::patch;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Clone)]
pub struct Place {
    pub port: u16,
    pub token: String,
    pub log: PathBuf,
    pub state: PathBuf,
    pub channels_open: bool,
}

impl Place {
    pub fn of(spec: &Spec, layout: &Layout) -> Self {
        Self {
            port: spec.port,
            token: spec.gateway_token.clone(),
            log: layout.log(),
            state: layout.state(),
            channels_open: spec.channels_open,
        }
    }
}

/// The account's configuration as it must read in this place.
pub fn put_in_place(account: &Value, place: Place) -> Value {
    let mut config = if account.is_object() { account.clone() } else { json!({}) };
    patch::apply(
        &mut config,
        &json!({
            "gateway": {
                "mode": "local",
                "port": place.port,
                "bind": "loopback",
                "auth": {"mode": "token", "token": place.token}
            },
            "logging": {"file": place.log}
        }),
    );
    if patch::at(&config, &path("agents.defaults.workspace")).is_none() {
        let workspace = place.state.join("workspace");
        patch::apply(&mut config, &json!({"agents": {"defaults": {"workspace": workspace}}}));
    }
    if !place.channels_open
        && let Some(map) = config.as_object_mut()
    {
        map.remove("channels");
    }
    config
}

/// `a.b.c` as the parts that it has.
pub fn path(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(channels_open: bool) -> Place {
        Place {
            port: 7500,
            token: "t".into(),
            log: "/i/openclaw.log".into(),
            state: "/i/state".into(),
            channels_open,
        }
    }

    #[test]
    fn the_place_wins_and_the_account_keeps_the_rest() {
        let account = json!({
            "gateway": {"port": 1, "bind": "lan", "auth": {"token": "stolen"}, "controlUi": {"enabled": false}},
            "agents": {"defaults": {"model": {"primary": "a/b"}}},
            "channels": {"telegram": {"botToken": "x"}}
        });
        let config = put_in_place(&account, place(false));
        assert_eq!(config["gateway"]["port"], 7500);
        assert_eq!(config["gateway"]["bind"], "loopback");
        assert_eq!(config["gateway"]["auth"]["token"], "t");
        assert_eq!(config["gateway"]["controlUi"]["enabled"], false);
        assert_eq!(config["agents"]["defaults"]["model"]["primary"], "a/b");
        assert_eq!(config["agents"]["defaults"]["workspace"], "/i/state/workspace");
        assert!(config.get("channels").is_none(), "a standby got the credentials of a channel");
        assert!(put_in_place(&account, place(true)).get("channels").is_some());
    }
}
