//! The kinds of operations: what must have been done before, how a person asks for it, and how it ends.

use crate::run::Running;
use serde_json::{Value, json};

pub struct Kind {
    pub name: &'static str,
    /// The state that it begins from.
    pub from: &'static str,
    pub tool: &'static str,
    pub arguments: fn(&Running) -> Value,
    pub ends: &'static str,
    /// How many accounts have instances then.
    pub pairs: usize,
    pub changes_machines: bool,
}

/// What a fleet of one pair becomes by an operation, as states to begin others from.
pub const STATES: [(&str, &str); 2] = [("pushed", "config_push"), ("archived", "teardown")];

const fn kind(name: &'static str, tool: &'static str, arguments: fn(&Running) -> Value) -> Kind {
    Kind { name, from: "pair", tool, arguments, ends: "done", pairs: 1, changes_machines: true }
}

pub static KINDS: [Kind; 9] = [
    Kind {
        pairs: 0,
        ..kind("teardown", "gf_teardown", |_| json!({"accountIds": ["acct-0001"], "reason": "idle"}))
    },
    Kind {
        pairs: 2,
        ..kind("provision", "gf_provision", |_| json!({"accountIds": ["acct-0002"], "tier": "nano"}))
    },
    kind(
        "config_push",
        "gf_config_push",
        |_| json!({"targets": ["acct-0001"], "patch": {"tts": {"auto": "tagged"}}, "description": "speech"}),
    ),
    Kind {
        from: "pushed",
        ..kind("rollback", "gf_operation", |running| {
            let rollout = newest(running, "config_push").expect("it was pushed");
            json!({"id": rollout["id"], "action": "rollback"})
        })
    },
    Kind {
        from: "archived",
        ..kind("restore", "gf_restore", |_| json!({"accountId": "acct-0001", "reason": "asked back"}))
    },
    kind("resize", "gf_tier_resize", |_| json!({"accountIds": ["acct-0001"], "newTier": "pro"})),
    kind("restart", "gf_bulk_restart", |running| {
        let pair = running.ask("GET", "/v1/gateways", Value::Null).1["items"][0].clone();
        json!({"instanceIds": [pair["primary"], pair["standby"]], "reason": "test"})
    }),
    kind("failover", "gf_failover", |_| json!({"accountId": "acct-0001", "reason": "test"})),
    Kind {
        changes_machines: false,
        ..kind(
            "provider_policy",
            "gf_provider_policy",
            |_| json!({"provider": "vultr", "pool": "paused", "reason": "test"}),
        )
    },
];

pub fn kind_of(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("there is such a kind")
}

/// The newest operation of a kind.
pub fn newest(running: &Running, kind: &str) -> Option<Value> {
    let all = running.ask("GET", "/v1/operations", Value::Null).1;
    all["items"].as_array()?.iter().find(|operation| operation["verb"]["verb"] == in_json(kind)).cloned()
}

/// A verb's name as it stands in JSON: the second and later words begin with a capital.
pub fn in_json(kind: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let mut words = kind.split('_');
    words.next().unwrap_or_default().to_owned() + &words.map(capital).collect::<String>()
}
