//! The kinds of operations: what must have been done before, how a person asks for it, and how it ends.

use crate::run::Running;
use gf_model::{release::Release, verb::Verb};
use serde_json::{Value, json};
use std::fs;

/// What nodes become; it is newer than any build of this.
const RELEASE: &str = "99.0.0";

pub struct Kind {
    pub name: &'static str,
    /// The state that it begins from.
    pub from: &'static str,
    /// Below `/v1/`.
    pub path: &'static str,
    pub arguments: fn(&Running) -> Value,
    pub ends: &'static str,
    /// What the control plane begins by itself after it.
    pub followed_by: Option<&'static str>,
    /// What every node runs then, where it is about that.
    pub nodes_run: Option<&'static str>,
    /// How many accounts have instances then.
    pub pairs: usize,
    pub changes_machines: bool,
}

/// What a fleet of one pair becomes by an operation, as states to begin others from.
pub const STATES: [(&str, &str); 2] = [("pushed", "config_push"), ("archived", "teardown")];

const fn kind(name: &'static str, path: &'static str, arguments: fn(&Running) -> Value) -> Kind {
    Kind {
        name,
        from: "pair",
        path,
        arguments,
        ends: "done",
        followed_by: None,
        nodes_run: None,
        pairs: 1,
        changes_machines: true,
    }
}

pub static KINDS: [Kind; 10] = [
    Kind {
        pairs: 0,
        ..kind("teardown", "tools/gf_teardown", |_| json!({"accountIds": ["acct-0001"], "reason": "idle"}))
    },
    Kind {
        pairs: 2,
        ..kind("provision", "tools/gf_provision", |_| json!({"accountIds": ["acct-0002"], "tier": "nano"}))
    },
    kind(
        "config_push",
        "tools/gf_config_push",
        |_| json!({"targets": ["acct-0001"], "patch": {"tts": {"auto": "tagged"}}, "description": "speech"}),
    ),
    Kind {
        from: "pushed",
        ..kind("rollback", "tools/gf_operation", |running| {
            let rollout = newest(running, "config_push").expect("it was pushed");
            json!({"id": rollout["id"], "action": "rollback"})
        })
    },
    Kind {
        from: "archived",
        ..kind("restore", "tools/gf_restore", |_| json!({"accountId": "acct-0001", "reason": "asked back"}))
    },
    kind("resize", "tools/gf_tier_resize", |_| json!({"accountIds": ["acct-0001"], "newTier": "pro"})),
    kind("restart", "tools/gf_bulk_restart", |running| {
        let pair = running.ask("GET", "/v1/gateways", Value::Null).1["items"][0].clone();
        json!({"instanceIds": [pair["primary"], pair["standby"]], "reason": "test"})
    }),
    Kind {
        followed_by: Some("rebuild_standby"),
        ..kind("failover", "tools/gf_failover", |_| json!({"accountId": "acct-0001", "reason": "test"}))
    },
    Kind {
        nodes_run: Some(RELEASE),
        ..kind("update_nodes", "nodes/update", |running| {
            lay_down(running);
            json!({"to": RELEASE, "ringSizes": [1], "settleSeconds": 1})
        })
    },
    Kind {
        changes_machines: false,
        ..kind(
            "provider_policy",
            "tools/gf_provider_policy",
            |_| json!({"provider": "vultr", "pool": "paused", "reason": "test"}),
        )
    },
];

/// A release where this control plane looks for it. Simulated nodes believe any.
fn lay_down(running: &Running) {
    let program = b"gf-clawnode";
    let there = running.home.join("releases").join(RELEASE);
    let release = Release {
        version: RELEASE.into(),
        sha256: "00".repeat(32),
        size: program.len() as u64,
        signature: "00".repeat(64),
    };
    fs::create_dir_all(&there).unwrap();
    fs::write(there.join("gf-clawnode"), program).unwrap();
    fs::write(there.join("release.json"), serde_json::to_vec(&release).unwrap()).unwrap();
}

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

#[test]
fn no_kind_of_operation_is_without_a_case() {
    let missing = |name: &&str| {
        !KINDS.iter().any(|kind| kind.name == *name || kind.followed_by.is_some_and(|also| also == *name))
    };
    assert_eq!(Verb::operations().filter(missing).collect::<Vec<_>>(), Vec::<&str>::new());
}
