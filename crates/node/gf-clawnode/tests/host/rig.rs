//! A control plane in the test's process and a gf-clawnode in one of its own.

use gf_clawnode::instance::Cgroups;
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{
    CommandError, CommandMeta, Hub, HubConfig, LINK_PATH, MemoryRegistry, NodeEvent, NodeRegistry, link_route,
};
use gf_node_proto::{
    Event, InstanceCreate, InstanceRole, InstanceSummary, Reply, SigningKey, command, event, reply,
};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};

/// Long enough for a boot on a busy machine; only a test that fails waits for it.
pub const PATIENCE: Duration = Duration::from_secs(240);

pub struct Rig {
    pub dir: TempDir,
    pub hub: Hub,
    events: mpsc::Receiver<NodeEvent>,
    addr: SocketAddr,
    pub registry: Arc<MemoryRegistry>,
    /// Where it listens for nodes.
    serving: JoinHandle<std::io::Result<()>>,
    /// Where the node is told that the control plane is.
    pub control: String,
    node: Option<Child>,
    runtime: PathBuf,
    keys: AtomicU64,
    /// What the node is started with besides.
    pub more: Vec<String>,
}

fn hub(registry: Arc<dyn NodeRegistry>, clock: Arc<dyn Clock>) -> (Hub, mpsc::Receiver<NodeEvent>) {
    let mut config = HubConfig::new(SigningKey::from_bytes(&[3; 32]), 1);
    config.heartbeat_interval = Duration::from_secs(5);
    Hub::new(config, registry, clock, bits())
}

fn serve(listener: tokio::net::TcpListener, hub: Hub) -> JoinHandle<std::io::Result<()>> {
    tokio::spawn(async move {
        let service = link_route(hub).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await
    })
}

pub fn node_id() -> NodeId {
    "node-test".parse().unwrap()
}

impl Rig {
    /// A hub, and a node that has enrolled with it.
    pub async fn start(runtime: &Path) -> Self {
        let mut rig = Self::without_node(runtime).await;
        rig.launch();
        // The node's first heartbeat follows its having written down that it was taken in.
        while !matches!(rig.next().await, NodeEvent::Changed { .. }) {}
        rig
    }

    /// The same over TLS, as from another machine.
    pub async fn start_remote(runtime: &Path) -> Self {
        let mut rig = Self::without_node(runtime).await;
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        rig.control = format!("wss://{}{LINK_PATH}", listener.local_addr().unwrap());
        tokio::spawn(rig.hub.clone().serve_remote(listener));
        rig.launch();
        while !matches!(rig.next().await, NodeEvent::Changed { .. }) {}
        rig
    }

    pub fn link(&self) -> SocketAddr {
        self.addr
    }

    pub async fn without_node(runtime: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Arc::new(MemoryRegistry::default());
        let (hub, events) = hub(registry.clone(), wall());
        let token = hub.mint_token();
        registry.allow(&node_id(), &token);
        fs::write(dir.path().join("token"), token.reveal()).unwrap();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = serve(listener, hub.clone());
        let control = format!("ws://{addr}{LINK_PATH}");
        let runtime = runtime.to_owned();
        Self {
            dir,
            hub,
            events,
            addr,
            registry,
            serving,
            control,
            node: None,
            runtime,
            keys: AtomicU64::new(0),
            more: Vec::new(),
        }
    }

    /// Another control plane takes this one's place, as after a restart.
    pub async fn restart_control(&mut self, registry: Arc<dyn NodeRegistry>, clock: Arc<dyn Clock>) {
        self.serving.abort();
        assert!((&mut self.serving).await.is_err_and(|why| why.is_cancelled()));
        self.hub.shut_down();
        let listener = tokio::net::TcpListener::bind(self.addr).await.unwrap();
        (self.hub, self.events) = hub(registry, clock);
        self.serving = serve(listener, self.hub.clone());
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("node")
    }

    pub fn instance_dir(&self, id: &str) -> PathBuf {
        self.home().join("instances").join(id)
    }

    pub fn node_command(&self, home: &Path) -> Command {
        // Another build may be named, to take its measures.
        let built = env!("CARGO_BIN_EXE_gf-clawnode").into();
        let mut command = Command::new(std::env::var_os("CLAWOPS_NODE_BINARY").unwrap_or(built));
        command
            .arg("host")
            .args(["--node", "node-test", "--provider", "local-a"])
            .arg("--home")
            .arg(home)
            .arg("--control")
            .arg(&self.control)
            .arg("--token-file")
            .arg(self.dir.path().join("token"))
            .arg("--runtime")
            .arg(&self.runtime)
            .args(&self.more)
            .stdin(Stdio::null());
        command
    }

    pub fn launch(&mut self) {
        self.node = Some(self.node_command(&self.home()).spawn().unwrap());
    }

    pub fn node_pid(&self) -> u32 {
        self.node.as_ref().unwrap().id()
    }

    /// What gf-clawnode itself needs: resident bytes, and clock ticks of processor time.
    pub fn node_costs(&self) -> (u64, u64) {
        let pid = self.node.as_ref().unwrap().id();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks =
            stat[stat.rfind(')').unwrap()..].split(' ').skip(12).take(2).map(|n| n.parse::<u64>().unwrap());
        (gf_clawnode::machine::resident_bytes(pid), ticks.sum())
    }

    /// Ends gf-clawnode without any chance to tidy up.
    pub fn kill_node(&mut self) {
        let mut node = self.node.take().unwrap();
        node.kill().unwrap();
        node.wait().unwrap();
    }

    async fn next(&mut self) -> NodeEvent {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("nothing was reported").unwrap()
    }

    pub async fn connected(&mut self) {
        while !matches!(self.next().await, NodeEvent::Connected { .. }) {}
    }

    pub async fn lost(&mut self) {
        while !matches!(self.next().await, NodeEvent::Lost { .. }) {}
    }

    /// The next event that `wanted` takes; all before it are taken care of too.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            if let NodeEvent::Reported { event, receipt, .. } = self.next().await {
                let found = wanted(&event);
                receipt.done();
                if let Some(found) = found {
                    return found;
                }
            }
        }
    }

    /// The next event of a kind about an instance.
    pub async fn kind<T>(&mut self, id: &str, pick: impl Fn(&event::Kind) -> Option<T>) -> T {
        self.until(|event| (event.instance_id == id).then(|| event.kind.as_ref().and_then(&pick)).flatten())
            .await
    }

    /// The next word of the node's heartbeat about an instance that `wanted` takes.
    pub async fn seen(&mut self, id: &str, wanted: impl Fn(&InstanceSummary) -> bool) -> InstanceSummary {
        loop {
            match self.next().await {
                NodeEvent::Changed { changed, .. } => {
                    let found = changed.into_iter().find(|seen| seen.instance_id == id && wanted(seen));
                    if let Some(found) = found {
                        return found;
                    }
                }
                NodeEvent::Reported { receipt, .. } => receipt.done(),
                _ => {}
            }
        }
    }

    pub fn fresh_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn command(&self, body: impl Into<command::Body>) -> Result<Reply, CommandError> {
        self.hub.command(&node_id(), body, CommandMeta::new(self.fresh_key(), PATIENCE)).await
    }

    /// The summary that a command answers with.
    pub async fn summary(&self, body: impl Into<command::Body>) -> InstanceSummary {
        match self.command(body).await.unwrap().body {
            Some(reply::Body::Instance(summary)) => summary,
            other => panic!("a summary was expected, not {other:?}"),
        }
    }
}

impl Drop for Rig {
    /// A test that failed must not leave gateways behind.
    fn drop(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.kill();
            let _ = node.wait();
        }
        let groups = Cgroups::discover("node-test", &self.home());
        for entry in fs::read_dir(self.home().join("instances")).into_iter().flatten().flatten() {
            let group = groups.group(&entry.file_name().to_string_lossy());
            let _ = group.kill(pid_of(&entry.path()).filter(|pid| is_alive(*pid)));
            let _ = group.remove();
        }
        // With its last instance the node's own group goes too.
        let _ = groups.group("none").remove();
    }
}

/// The process that an instance's description names.
pub fn pid_of(instance: &Path) -> Option<u32> {
    spec(instance)["process"]["pid"].as_u64().map(|pid| pid as u32)
}

pub fn spec(instance: &Path) -> serde_json::Value {
    let text = fs::read(instance.join("spec.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

pub fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

pub fn create(id: &str, port: u16) -> InstanceCreate {
    InstanceCreate {
        instance_id: id.into(),
        account: "acct-0042".into(),
        role: InstanceRole::Primary.into(),
        tier: "standard".into(),
        generation: 1,
        port: port.into(),
        config: Some("{}".into()),
        ..InstanceCreate::default()
    }
}

/// A runtime in which `node` is a shell script.
pub fn scripted_runtime(dir: &Path, script: &str) -> PathBuf {
    let root = dir.join("runtime");
    let bin = root.join("node/node_modules/.bin");
    let package = root.join("openclaw/node_modules/openclaw");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("openclaw.mjs"), "").unwrap();
    fs::write(package.join("package.json"), r#"{"version":"2026.9.6"}"#).unwrap();
    fs::write(bin.join("node"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(bin.join("node"), fs::Permissions::from_mode(0o755)).unwrap();
    root
}

/// A runtime in which `node` is the example that stands in for OpenClaw.
pub fn stand_in_runtime(dir: &Path) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_gf-clawnode")).with_file_name("examples");
    scripted_runtime(dir, &format!("exec {}", built.join("openclaw-stand-in").display()))
}

pub fn wall() -> Arc<dyn Clock> {
    Arc::new(Wall)
}

pub fn bits() -> Arc<dyn Entropy> {
    Arc::new(Os)
}

struct Wall;
impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Os;
impl Entropy for Os {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}
