//! A real OpenClaw gateway in a folder of its own, with a scripted model and a stub of the control plane.
//!
//! OpenClaw is found through `CLAWOPS_RUNTIME`, or as the newest folder below `~/.cache/clawops/runtime/`. Where there
//! is none the test fails: a spine that was not tried is not known to hold.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

pub mod irc;
pub mod model;
pub mod plane;

use model::Model;
use openclaw_client::{Client, chat::AgentTurn, chat::TurnEnd};
use ops_gateway::{Brain, Channels, OpsGateway, Settings};
use plane::Plane;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

pub const BOOT: Duration = Duration::from_secs(300);
pub const LONG: Duration = Duration::from_secs(180);

pub struct Lab {
    pub gateway: OpsGateway,
    pub client: Client,
    pub model: Model,
    pub plane: Plane,
    pub home: TempDir,
}

impl Lab {
    pub async fn start(channels: Channels) -> Self {
        Self::start_with(channels, |_| {}).await
    }

    pub async fn start_with(channels: Channels, change: impl FnOnce(&mut Settings)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let model = Model::start().await;
        let plane = Plane::start().await;
        let mut settings = settings(home.path(), model.port, plane.port, channels);
        change(&mut settings);
        let gateway = OpsGateway::prepare(&settings).unwrap();
        plane.know_key(&home.path().join("keys/plugin.key"));
        gateway.start().await.unwrap();
        let ready = gateway.wait_ready(BOOT, |phase| eprintln!("ops gateway: {phase:?}")).await;
        if let Err(error) = ready {
            let log = std::fs::read_to_string(home.path().join("logs/ops-gateway.log")).unwrap_or_default();
            panic!("{error}\n{log}");
        }
        match gateway.verify().await {
            Ok(client) => Self { gateway, client, model, plane, home },
            Err(error) => {
                // A failed test must not leave a gateway behind.
                gateway.stop().await.unwrap();
                panic!("{error}");
            }
        }
    }

    /// One message to Commander in a person's command-line conversation, and the whole reply.
    pub async fn say(&self, text: &str) -> String {
        self.say_in("agent:commander:cli-ana", text).await
    }

    pub async fn say_in(&self, session: &str, text: &str) -> String {
        let turn = AgentTurn::in_session(session, text, unique("turn"));
        match self.client.converse(&turn, LONG, |_| {}).await.unwrap() {
            TurnEnd::Replied(reply) => reply.unwrap_or_default(),
            other => panic!("{text:?} ended as {other:?}\n{}", self.log()),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("logs/ops-gateway.log")).unwrap_or_default()
    }

    pub async fn stop(self) {
        self.gateway.stop().await.unwrap();
        assert!(self.gateway.running().is_none());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        }
        // A failed test must not leave a gateway behind.
        if let Some(running) = self.gateway.running()
            && let Some(pid) = rustix::process::Pid::from_raw(running.pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

pub fn settings(home: &Path, brain_port: u16, control_plane_port: u16, channels: Channels) -> Settings {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap();
    Settings {
        home: home.to_owned(),
        runtime: runtime(),
        team: root.join("team"),
        plugin: root.join("plugin/openclaw-clawops"),
        port: free_port(),
        control_plane_port,
        brain: Brain { port: brain_port },
        extra_model: None,
        channels,
    }
}

pub fn runtime() -> PathBuf {
    if let Some(dir) = std::env::var_os("CLAWOPS_RUNTIME") {
        return dir.into();
    }
    let home = PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    let all = home.join(".cache/clawops/runtime");
    let newest = std::fs::read_dir(&all)
        .unwrap_or_else(|e| panic!("no OpenClaw below {}: {e}; run `cargo xtask setup`", all.display()))
        .filter_map(|entry| entry.ok()?.path().canonicalize().ok())
        .filter(|path| path.join("openclaw/node_modules/openclaw").is_dir())
        .max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok());
    newest.unwrap_or_else(|| panic!("no OpenClaw below {}; run `cargo xtask setup`", all.display()))
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn unique(what: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A bare HTTP request; the status and the body.
pub async fn http(
    addr: std::net::SocketAddr,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
