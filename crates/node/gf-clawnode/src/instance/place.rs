//! What of an OpenClaw configuration belongs to the place it runs in: port, token, log, workspace, channels.
//!
//! Everything else belongs to the account and is left alone.

use gf_model::patch;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub port: u16,
    pub token: &'a str,
    pub log: &'a Path,
    pub state: &'a Path,
    pub channels_open: bool,
}

/// The account's configuration as it must read in this place.
pub fn put_in_place(account: &Value, place: Place<'_>) -> Value {
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

/// Rewrites every path under `from` to lie under `to`: a copied state knows where it was.
pub fn relocate(config: &mut Value, from: &str, to: &str) {
    match config {
        Value::String(text) => {
            if let Some(rest) =
                text.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                *text = format!("{to}{rest}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| relocate(item, from, to)),
        Value::Object(map) => map.values_mut().for_each(|value| relocate(value, from, to)),
        _ => {}
    }
}

/// `a.b.c` as the parts that it has.
pub fn path(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(channels_open: bool) -> Place<'static> {
        Place {
            port: 7500,
            token: "t",
            log: Path::new("/i/openclaw.log"),
            state: Path::new("/i/state"),
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

    #[test]
    fn only_whole_path_parts_are_moved() {
        let mut config = json!({"a": "/old/state/w", "b": ["/old/state"], "c": "/old/states", "d": "text"});
        relocate(&mut config, "/old/state", "/new/state");
        assert_eq!(
            config,
            json!({"a": "/new/state/w", "b": ["/new/state"], "c": "/old/states", "d": "text"})
        );
    }
}
