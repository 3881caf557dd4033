//! Stopping the fleet's own gateways on this machine. They outlive their nodes, so `down` ends them itself; what they
//! should be stays written, and the next `up` brings them back.

use super::process::{self, Running};
use crate::home::Home;
use openclaw_client::methods::Terminals;
use openclaw_client::{Client, Endpoint, Token};
use serde::Deserialize;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// A turn that runs may end; one that hangs does not keep the machine up.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The part of a node's `spec.json` that is needed here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    instance: String,
    port: u16,
    gateway_token: String,
    #[serde(default)]
    process: Option<ProcessId>,
}

#[derive(Debug, Deserialize)]
struct ProcessId {
    pid: i32,
    started: u64,
}

pub struct Stopped {
    pub instance: String,
    pub drained: bool,
}

/// Ends all that live, side by side.
pub async fn stop_all(home: &Home) -> Vec<Stopped> {
    let mut stops = JoinSet::new();
    for (spec, running) in living(home) {
        stops.spawn(stop(spec, running));
    }
    let mut stopped = stops.join_all().await;
    stopped.sort_by(|a, b| a.instance.cmp(&b.instance));
    stopped
}

/// Whether this machine has any, running or not.
pub fn any(home: &Home) -> bool {
    !specs(home).is_empty()
}

fn specs(home: &Home) -> Vec<Spec> {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let nodes = entries(&home.dir.join("hosts")).collect::<Vec<_>>();
    let instances = nodes.iter().flat_map(|node| entries(&node.join("instances")));
    instances.filter_map(|dir| serde_json::from_slice(&fs::read(dir.join("spec.json")).ok()?).ok()).collect()
}

fn living(home: &Home) -> Vec<(Spec, Running)> {
    let running = |spec: Spec| {
        let process = spec.process.as_ref()?;
        let running = Running { pid: process.pid, start_time: process.started, endpoint: None };
        (process::start_time(running.pid) == Some(running.start_time)).then_some((spec, running))
    };
    specs(home).into_iter().filter_map(running).collect()
}

async fn stop(spec: Spec, running: Running) -> Stopped {
    let drained = drain(&spec).await;
    let end = tokio::task::spawn_blocking(move || process::stop(&running, STOP_WITHIN));
    let ended = end.await.unwrap_or(false);
    Stopped { instance: spec.instance, drained: drained && ended }
}

async fn drain(spec: &Spec) -> bool {
    let endpoint = Endpoint {
        addr: (Ipv4Addr::LOCALHOST, spec.port).into(),
        token: Token::new(spec.gateway_token.as_str()),
    };
    let Ok(client) = Client::connect(&endpoint, CONNECT_WITHIN).await else { return false };
    let began = Instant::now();
    while began.elapsed() < DRAIN_WITHIN {
        match client.suspend_prepare("clawops-down", Terminals::Terminate).await {
            Ok(suspension) if suspension.is_ready() => return true,
            Ok(_) => tokio::time::sleep(LOOK_EVERY).await,
            Err(_) => return false,
        }
    }
    false
}
