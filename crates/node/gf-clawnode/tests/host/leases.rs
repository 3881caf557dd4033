//! The serving lease with real processes: two nodes, a control plane that dies and comes back, a witness that dies, and a
//! gf-clawnode that dies or is stopped in the middle of it. What stands in for OpenClaw writes down when it "sends".

use crate::rig::{bits, create, free_port, is_alive, pid_of, spec, stand_in_runtime, wall};
use gf_model::{NodeId, lease};
use gf_node_hub::{
    CommandMeta, Duty, Grant, Granted, Hub, HubConfig, LINK_PATH, LeaseOffice, MemoryRegistry, NodeEvent,
    link_route,
};
use gf_node_proto::{InstanceCreate, InstanceRole, InstanceSummary, SigningKey, WitnessRaise, reply};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(120);
const CHANNEL: &str = r#"{"channels": {"telegram": {"botToken": "not-a-real-one"}}}"#;

/// Grants what a store would: `i-a` under node-b's witness, `i-v` under terms that do not lapse.
#[derive(Default)]
struct Office {
    witness_is_ready: Mutex<bool>,
}

impl LeaseOffice for Office {
    fn answer(&self, _: &NodeId, held: &[InstanceSummary]) -> Granted {
        let mut granted = Granted::default();
        for summary in held {
            let instance = summary.instance_id.clone();
            match instance.as_str() {
                "i-a" => {
                    let terms = self.witness_is_ready.lock().then(|| (1, Some(name("node-b"))));
                    granted.leases.push(Grant { instance, generation: 1, terms });
                }
                "i-b" => {
                    *self.witness_is_ready.lock() |= summary.lease_terms == 1;
                    granted.duties.push(Duty { instance, terms: 1, generation: 1, holder: name("node-a") });
                }
                _ => granted.leases.push(Grant { instance, generation: 1, terms: Some((1, None)) }),
            }
        }
        granted
    }
}

fn name(node: &str) -> NodeId {
    node.parse().unwrap()
}

/// A control plane that can be ended at once and started again where it was.
struct Plane {
    hub: Hub,
    events: mpsc::Receiver<NodeEvent>,
    addr: SocketAddr,
    serving: JoinHandle<()>,
}

impl Plane {
    async fn start(registry: &Arc<MemoryRegistry>, generation: u64, at: Option<SocketAddr>) -> Self {
        let mut config = HubConfig::new(SigningKey::from_bytes(&[3; 32]), generation);
        config.heartbeat_interval = Duration::from_secs(1);
        config.leases = Some(Arc::new(Office::default()));
        let (hub, events) = Hub::new(config, registry.clone(), wall(), bits());
        let at = at.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let listener = tokio::net::TcpListener::bind(at).await.unwrap();
        let (addr, served) = (listener.local_addr().unwrap(), hub.clone());
        let serving = tokio::spawn(async move {
            let service = link_route(served).into_make_service_with_connect_info::<SocketAddr>();
            let _ = axum::serve(listener, service).await;
        });
        Self { hub, events, addr, serving }
    }

    /// The next word of a heartbeat about an instance that `wanted` takes.
    async fn seen(&mut self, id: &str, wanted: impl Fn(&InstanceSummary) -> bool) {
        let looking = async {
            loop {
                match self.events.recv().await.unwrap() {
                    NodeEvent::Changed { changed, .. }
                        if changed.iter().any(|seen| seen.instance_id == id && wanted(seen)) =>
                    {
                        return;
                    }
                    NodeEvent::Reported { receipt, .. } => receipt.done(),
                    _ => {}
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("it was never said of {id}"));
    }

    async fn end(self) -> SocketAddr {
        self.serving.abort();
        self.hub.shut_down();
        // Its port is free once nobody accepts there any more.
        let _ = self.serving.await;
        self.addr
    }
}

struct Stage {
    dir: tempfile::TempDir,
    runtime: PathBuf,
    registry: Arc<MemoryRegistry>,
    nodes: Vec<(String, Child)>,
}

impl Stage {
    fn home(&self, node: &str) -> PathBuf {
        self.dir.path().join(node)
    }

    fn instance(&self, node: &str, id: &str) -> PathBuf {
        self.home(node).join("instances").join(id)
    }

    fn admit(&mut self, node: &str, plane: &Plane) {
        let token = plane.hub.mint_token();
        self.registry.allow(&name(node), &token);
        fs::write(self.dir.path().join(format!("{node}.token")), token.reveal()).unwrap();
        self.launch(node, plane.addr);
    }

    fn launch(&mut self, node: &str, plane: SocketAddr) {
        let child = Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
            .args(["host", "--node", node, "--provider", "local-a", "--home"])
            .arg(self.home(node))
            .arg("--control")
            .arg(format!("ws://{plane}{LINK_PATH}"))
            .arg("--token-file")
            .arg(self.dir.path().join(format!("{node}.token")))
            .arg("--runtime")
            .arg(&self.runtime)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.nodes.push((node.to_owned(), child));
    }

    fn kill(&mut self, node: &str) {
        let place = self.nodes.iter().position(|(name, _)| name == node).unwrap();
        let (_, mut child) = self.nodes.remove(place);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn signal(&self, node: &str, signal: Signal) {
        let (_, child) = self.nodes.iter().find(|(name, _)| name == node).unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Two nodes: i-a and i-v with open channels on node-a, i-b, the standby of i-a, on node-b. Returns when i-a goes by
    /// a lease that lapses.
    async fn set() -> (Self, Plane) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = stand_in_runtime(dir.path());
        let registry = Arc::new(MemoryRegistry::default());
        let mut plane = Plane::start(&registry, 1, None).await;
        let mut stage = Self { dir, runtime, registry, nodes: Vec::new() };
        for node in ["node-a", "node-b"] {
            stage.admit(node, &plane);
            while !matches!(plane.events.recv().await.unwrap(), NodeEvent::Changed { .. }) {}
        }
        let open = |id: &str| InstanceCreate {
            config: Some(CHANNEL.into()),
            channels_open: true,
            ..create(id, free_port())
        };
        let standby = InstanceCreate { role: InstanceRole::Standby.into(), ..create("i-b", free_port()) };
        for (node, order) in [("node-a", open("i-a")), ("node-a", open("i-v")), ("node-b", standby)] {
            let key = format!("make {}", order.instance_id);
            plane.hub.command(&name(node), order, CommandMeta::new(key, PATIENCE)).await.unwrap();
        }
        plane.seen("i-a", |summary| summary.lease_terms == 1).await;
        for id in ["i-a", "i-v"] {
            until("it sends", || stage.last_sent(id).is_some()).await;
        }
        (stage, plane)
    }

    /// When it sent last, by the clock that leases go by.
    fn last_sent(&self, id: &str) -> Option<Duration> {
        let text = fs::read_to_string(self.instance("node-a", id).join("sent")).ok()?;
        text.lines().rev().find_map(|line| line.parse().ok()).map(Duration::from_millis)
    }

    fn runs(&self, id: &str) -> bool {
        pid_of(&self.instance("node-a", id)).is_some_and(is_alive)
    }

    fn channels(&self, node: &str, id: &str) -> Value {
        let file = self.instance(node, id).join("state/openclaw.json");
        serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap()["channels"].clone()
    }

    fn is_open(&self, id: &str) -> bool {
        let open = spec(&self.instance("node-a", id))["channelsOpen"] == true;
        let has = self.channels("node-a", id)["telegram"]["botToken"] == "not-a-real-one";
        assert!(open || !has, "{id} is closed by the books and has its credentials still");
        open && has
    }

    /// The process that stands beside node-a's gf-clawnode.
    fn guard(&self) -> u32 {
        let text = fs::read(self.home("node-a").join("guard.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["pid"].as_u64().unwrap() as u32
    }

    /// Until when i-a's lease stands, by the clock that it goes by.
    fn stands_until(&self) -> Duration {
        let text = fs::read(self.instance("node-a", "i-a").join("lease.json")).unwrap_or_default();
        let kept: Value = serde_json::from_slice(&text).unwrap_or_default();
        serde_json::from_value(kept["held"]["until"].clone()).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for (_, child) in &mut self.nodes {
            let _ = child.kill();
            let _ = child.wait();
        }
        for node in ["node-a", "node-b"] {
            let groups = gf_clawnode::instance::Cgroups::discover(node, &self.home(node));
            for id in ["i-a", "i-v", "i-b"] {
                let pid = pid_of(&self.instance(node, id));
                let group = groups.group(id);
                let _ = group.kill(pid.filter(|pid| is_alive(*pid)));
                let _ = group.remove();
            }
            let _ = groups.group("none").remove();
        }
    }
}

/// Nobody is left who would tell: it is looked at until it is so.
async fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "it never happened that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn now() -> Duration {
    gf_clawnode::machine::since_boot()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_control_plane_closes_nothing_while_a_witness_lives_and_only_what_may_lapse_closes_without_one()
 {
    let (mut stage, plane) = Stage::set().await;
    let addr = plane.end().await;
    let died = now();

    // Whatever the control plane granted is over by then: only the witness can have renewed it.
    until("the witness renewed", || stage.stands_until() > died + lease::LASTS + Duration::from_secs(3))
        .await;
    assert!(stage.is_open("i-a") && stage.runs("i-a"));

    stage.kill("node-b");
    until("the lease closed the channels", || !stage.is_open("i-a")).await;
    let over = stage.stands_until();
    assert!(now() >= over && stage.last_sent("i-a") < Some(over + lease::CLOSES_WITHIN));
    assert_eq!(stage.channels("node-a", "i-a"), json!({}));
    assert!(stage.runs("i-a"), "it was asked to close and did: nothing had to be ended");
    until("who may serve on did", || stage.last_sent("i-v") > Some(over + lease::MARGIN)).await;
    assert!(stage.is_open("i-v"), "nobody could take over from it");

    let mut plane = Plane::start(&stage.registry, 2, Some(addr)).await;
    plane.seen("i-a", |summary| !summary.lease_lapsed && summary.channels_open).await;
    assert!(stage.is_open("i-a"));
    until("it sends again", || stage.last_sent("i-a") > Some(over + lease::MARGIN)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_serves_ends_with_its_lease_where_gf_clawnode_stands_still_or_is_dead() {
    let (mut stage, plane) = Stage::set().await;
    stage.signal("node-a", Signal::STOP);
    until("its guard ended it", || !stage.runs("i-a")).await;
    let over = stage.stands_until();
    assert!(
        stage.last_sent("i-a") > Some(over),
        "it could have sent until then: nobody was there to close it"
    );
    assert!(stage.last_sent("i-a") < Some(over + lease::MARGIN), "somebody else may send by then");
    assert!(stage.runs("i-v"), "nobody could take over from it");

    // Whatever it wakes to, it starts nothing with channels under a lease that is over.
    let addr = plane.end().await;
    stage.kill("node-b");
    let ended = stage.last_sent("i-a");
    stage.signal("node-a", Signal::CONT);
    until("it closed", || !stage.is_open("i-a")).await;
    until("it runs again", || stage.runs("i-a")).await;
    assert_eq!(stage.last_sent("i-a"), ended);

    let mut plane = Plane::start(&stage.registry, 2, Some(addr)).await;
    plane.seen("i-a", |summary| !summary.lease_lapsed && summary.channels_open).await;
    until("it sends again", || stage.last_sent("i-a") > ended).await;
    stage.kill("node-a");
    until("its guard ended it", || !stage.runs("i-a")).await;
    assert!(stage.last_sent("i-a") < Some(stage.stands_until() + lease::MARGIN));
    let guard = stage.guard();
    until("the guard has nothing left to watch and leaves", || !is_alive(guard)).await;

    stage.launch("node-a", addr);
    plane.seen("i-a", |summary| !summary.lease_lapsed && summary.channels_open).await;
    until("it sends again", || stage.last_sent("i-a") > Some(stage.stands_until() - lease::LASTS)).await;
}

/// A gf-clawnode that is started again in time takes the lease over from the one before it, and so does its guard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gf_clawnode_that_is_started_again_ends_nothing() {
    let (mut stage, plane) = Stage::set().await;
    let (guard, over, runs) = (stage.guard(), stage.stands_until(), pid_of(&stage.instance("node-a", "i-a")));
    stage.kill("node-a");
    stage.launch("node-a", plane.addr);
    until("its guard was replaced", || stage.guard() != guard && !is_alive(guard)).await;
    until("the lease of before is over", || stage.last_sent("i-a") > Some(over + lease::MARGIN)).await;
    assert_eq!(pid_of(&stage.instance("node-a", "i-a")), runs);
    assert!(stage.is_open("i-a"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_that_heard_of_a_newer_generation_renews_the_old_one_no_more() {
    let (stage, plane) = Stage::set().await;
    let raise = WitnessRaise { instance_id: "i-b".into(), generation: 2 };
    let said = plane.hub.command(&name("node-b"), raise, CommandMeta::new("raise", PATIENCE)).await.unwrap();
    assert!(matches!(said.body, Some(reply::Body::Raised(_))), "{said:?}");
    plane.end().await;
    until("the lease closed the channels", || !stage.is_open("i-a")).await;
    assert!(is_alive_and_asked(&stage.home("node-b")), "the witness was there all the while");
}

/// The witness's process still listens on its port.
fn is_alive_and_asked(home: &Path) -> bool {
    let port: u16 = fs::read_to_string(home.join("witness-port")).unwrap().trim().parse().unwrap();
    std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
