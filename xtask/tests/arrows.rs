//! Who may depend on whom: the arrows between the rooms of the workspace, kept by cargo's own metadata.
//!
//! `core ← control, drivers, node`; what talks and what an operator types reaches the control plane over its API only.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod promises;

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// A room may use crates of these rooms; `room/crate` names a single one.
const ARROWS: [(&str, &[&str]); 9] = [
    ("core", &["core"]),
    ("control", &["core", "control", "drivers", "node/gf-node-proto", "talk/openclaw-client"]),
    // A driver reaches the machines that it made through the hub.
    ("drivers", &["core", "drivers", "node/gf-node-proto", "control/gf-node-hub"]),
    ("node", &["core", "node", "talk/openclaw-client"]),
    ("talk", &["core/gf-tools", "talk/openclaw-client"]),
    ("cli", &["core/gf-tools", "talk/openclaw-client", "talk/ops-gateway"]),
    ("sim", &["core", "control", "drivers", "node"]),
    ("e2e", &["core", "cli", "talk", "node", "drivers", "control"]),
    ("xtask", &[]),
];

/// What would make a pure crate impure: the network, a clock, a runtime, a store, randomness.
const NOT_IN_CORE: [&str; 9] =
    ["tokio", "hyper", "axum", "reqwest", "rusqlite", "getrandom", "rand", "rustix", "tracing-subscriber"];

struct Member {
    name: String,
    room: String,
    uses: Vec<String>,
}

fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = metadata["workspace_root"].as_str().unwrap();
    let member = |package: &Value| {
        let manifest = package["manifest_path"].as_str().unwrap().strip_prefix(root).unwrap();
        let path: Vec<&str> = manifest.trim_start_matches('/').split('/').collect();
        let room = if path[0] == "crates" { path[1] } else { path[0] };
        // Tests may reach further: a node's tests, for instance, speak with the real hub.
        let uses = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"] != "dev");
        Member {
            name: package["name"].as_str().unwrap().to_owned(),
            room: room.to_owned(),
            uses: uses.map(|d| d["name"].as_str().unwrap().to_owned()).collect(),
        }
    };
    metadata["packages"].as_array().unwrap().iter().map(member).collect()
}

#[test]
fn every_dependency_follows_an_arrow() {
    let members = members();
    let room_of: BTreeMap<&str, &str> =
        members.iter().map(|member| (member.name.as_str(), member.room.as_str())).collect();
    let mut wrong = Vec::new();
    for member in &members {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == member.room) else {
            wrong.push(format!("{}: there is no room {}", member.name, member.room));
            continue;
        };
        for used in &member.uses {
            let Some(room) = room_of.get(used.as_str()) else { continue };
            if !allowed.contains(room) && !allowed.contains(&format!("{room}/{used}").as_str()) {
                wrong.push(format!("{} ({}) must not use {used} ({room})", member.name, member.room));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_stays_pure() {
    for member in members().iter().filter(|member| member.room == "core") {
        for impure in NOT_IN_CORE {
            assert!(!member.uses.iter().any(|used| used == impure), "{} uses {impure}", member.name);
        }
    }
}
