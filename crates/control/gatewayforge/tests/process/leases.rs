//! Leases with the real programs: a control plane, two nodes, and what "sends" on each. One of them stands still or dies.

use crate::{
    disk::dump,
    node::Node,
    run::{Running, home, start_with},
};
use gf_model::{
    Timestamp,
    ambient::Entropy,
    channel::AccountChannel,
    fleet::Account,
    lease::{LASTS, MARGIN},
};
use gf_store::FleetStore;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::{net::TcpListener, path::Path, time::Duration};
use tempfile::TempDir;

struct Bits;
impl Entropy for Bits {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// An account that polls Telegram: no tool adds a channel yet.
fn with_a_channel(home: &Path, ports: &str) {
    start_with(home, &["--port-base", ports]).end();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = FleetStore::open_home(home, &Bits).unwrap();
        let settings = json!({"botToken": "not-a-real-one"});
        let account = Account {
            id: "acct-0001".parse().unwrap(),
            channels: vec![AccountChannel { kind: "telegram".into(), secret: None, settings }],
            created_at: Timestamp::now(),
        };
        store.update(|_, tx| tx.put(account)).await.unwrap();
        store.close().await;
    });
}

/// A pair that serves under a lease that ends in silence.
struct Stage {
    running: Running,
    /// Of the primary, of the standby.
    nodes: [Node; 2],
    primary: String,
    standby: String,
    arguments: Vec<String>,
    home: std::path::PathBuf,
    _directory: TempDir,
}

fn pair(running: &Running) -> Value {
    running.tool("gf_pair_status", json!({"accountId": "acct-0001"}))
}

impl Stage {
    fn set() -> Self {
        let (directory, home) = home();
        // Its nodes find it again where it was.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let ports = (20_000 + 100 * (std::process::id() % 100)).to_string();
        with_a_channel(&home, &ports);
        let arguments: Vec<String> =
            ["--port-base", &ports, "--node-listen", &port.to_string()].map(str::to_owned).into();
        let running = start(&home, &arguments);
        let control = format!("wss://{port}/node/v1/link");
        let nodes = [("node-local-a", "local-a"), ("node-local-b", "local-b")]
            .map(|(name, provider)| Node::expected(&running, &home, name, provider).start(&control));
        running.until("both nodes are there", || {
            let nodes = running.ask("GET", "/v1/nodes", json!(null)).1;
            let there = nodes["items"].as_array().unwrap().iter().filter(|node| node["connected"] == true);
            (there.count() == 2).then_some(json!(null))
        });
        let order = json!({"accountIds": ["acct-0001"], "tier": "nano"});
        let ended = running.ended(&running.confirmed("gf_provision", order)["operationId"]);
        assert_eq!(ended["state"], "DONE", "{ended}");
        let pair = running.until("its lease ends in silence", || {
            Some(pair(&running))
                .filter(|pair| pair["condition"] == "protected" && pair["waitsForStop"].is_null())
        });
        let id = |half: &str| pair[half]["instanceId"].as_str().unwrap().to_owned();
        let (primary, standby) = (id("primary"), id("standby"));
        let mut nodes = nodes;
        nodes.sort_by_key(|node| pair["primary"]["node"] != node.name.as_str());
        let stage = Self { running, nodes, primary, standby, arguments, home, _directory: directory };
        stage.running.until("it sends", || stage.last_sent().map(|_| json!(null)));
        stage
    }

    /// The same with a control plane that starts again and finds no store.
    fn without_its_store(self) -> Self {
        let Self { running, nodes, primary, standby, arguments, home, _directory } = self;
        running.kill();
        for name in ["gatewayforge.db", "gatewayforge.db-wal", "gatewayforge.db-shm"] {
            let _ = std::fs::remove_file(home.join("store").join(name));
        }
        let running = start(&home, &arguments);
        Self { running, nodes, primary, standby, arguments, home, _directory }
    }

    /// When the primary of the beginning sent last.
    fn last_sent(&self) -> Option<Duration> {
        self.nodes[0].sent(&self.primary).last().copied()
    }

    fn waits_until_it_sends_after(&self, moment: Duration) {
        self.running.until("it sends", || (self.last_sent() > Some(moment)).then_some(json!(null)));
    }

    fn control(&self) -> String {
        format!("wss://{}/node/v1/link", self.arguments[3])
    }
}

fn start(home: &Path, arguments: &[String]) -> Running {
    start_with(home, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[test]
fn a_primary_whose_node_stands_still_is_replaced_after_its_lease_and_never_sends_again() {
    let stage = Stage::set();
    stage.nodes[0].signal("STOP");
    let node = &stage.nodes[0].name;
    stage.running.until("its node is missed", || {
        let nodes = stage.running.ask("GET", "/v1/nodes", json!(null)).1;
        let gone = |it: &&Value| it["id"] == node.as_str() && it["connected"] == false;
        nodes["items"].as_array().unwrap().iter().find(gone).cloned()
    });
    let order = json!({"accountId": "acct-0001", "reason": "its node is silent"});
    let moved = stage.running.ended(&stage.running.confirmed("gf_failover", order)["operationId"]);
    assert_eq!(moved["state"], "DONE", "{moved}");
    let began = stage.running.until("the new one sends", || {
        stage.nodes[1].sent(&stage.standby).first().map(|at| json!(at.as_millis() as u64))
    });
    let began = Duration::from_millis(began.as_u64().unwrap());
    let ended = stage.last_sent().unwrap();
    assert!(ended < began, "both sent: the old one until {ended:?}, the new one from {began:?}");
    let how = "its lease is over, and its witness renews it no more";
    assert!(
        dump(&stage.home, &["objects"]).iter().any(|row| row.contains(how)),
        "it was stopped by somebody"
    );

    stage.nodes[0].signal("CONT");
    stage.running.until("the pair is whole again", || {
        Some(pair(&stage.running)).filter(|pair| pair["condition"] == "protected")
    });
    // What is deleted by then sends no more either.
    assert!(stage.last_sent().is_none_or(|last| last == ended), "it woke, and sent");
}

#[test]
fn a_dead_control_plane_ends_nothing_while_the_other_node_lives() {
    let mut stage = Stage::set();
    let arguments = stage.arguments.clone();
    let died = now();
    stage.running.signal("KILL");
    // Longer than anybody would reckon with what the control plane granted.
    stage.waits_until_it_sends_after(died + LASTS + MARGIN);
    assert!(stage.nodes[1].sent(&stage.standby).is_empty());

    // Without anybody who could say that it may, it stops by itself; with the first who does, it goes on.
    stage.nodes[1].kill();
    let last_word = now();
    stage.running.until("it does not send any more", || {
        (now() > stage.last_sent().unwrap() + LASTS).then_some(json!(null))
    });
    assert!(stage.last_sent() < Some(last_word + LASTS + MARGIN));
    stage.running = start(&stage.home, &arguments);
    stage.waits_until_it_sends_after(last_word + LASTS + MARGIN);
    let control = stage.control();
    stage.nodes[1].launch(&control);
    stage.running.until("the pair is whole", || {
        Some(pair(&stage.running)).filter(|pair| pair["condition"] == "protected")
    });
    assert!(stage.nodes[1].sent(&stage.standby).is_empty(), "its standby has no business to send");
}

#[test]
fn a_pair_on_real_nodes_is_taken_up_after_the_store_was_lost_and_sends_on() {
    let stage = Stage::set();
    let before = pair(&stage.running);
    let stage = stage.without_its_store();
    let running = &stage.running;
    let shown = running.until("both instances are seen", || {
        let shown = running.ask("GET", "/v1/adoption", json!(null)).1;
        let lines = shown["lines"].to_string();
        [&stage.primary, &stage.standby].iter().all(|id| lines.contains(id.as_str())).then_some(shown)
    });
    assert_eq!((&shown["open"], &shown["why"]), (&json!(true), &json!("lost")));
    let (status, done) = running.ask("POST", "/v1/adoption", json!({"digest": shown["digest"]}));
    assert_eq!(status, 200, "{done}");
    let adopted = now();
    // Longer than any right to act that was granted before.
    stage.waits_until_it_sends_after(adopted + LASTS + MARGIN);
    let after = pair(&stage.running);
    for half in ["primary", "standby"] {
        for what in ["instanceId", "node", "provider", "state"] {
            assert_eq!(after[half][what], before[half][what], "{half}: {after}");
        }
    }
    assert_eq!(after["generation"], before["generation"], "{after}");
    assert!(stage.nodes[1].sent(&stage.standby).is_empty(), "its standby has no business to send");
}
