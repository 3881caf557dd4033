//! Saying that the control plane can be reached: one line for whoever started it, one file for whoever comes later.

use anyhow::{Context, Result};
use gf_store::{FleetStore, Standing};
use serde::Serialize;
use std::{fs, net::SocketAddr, path::Path};

/// What `run/gatewayforge.json` says: a pid, and when its process started, so that a reused pid is not taken for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    pid: u32,
    /// In clock ticks since boot, as `/proc/<pid>/stat` has it.
    start_time: Option<u64>,
    endpoint: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready<'a> {
    ready: bool,
    endpoint: &'a str,
    pid: u32,
    /// 0 for one that follows another control plane.
    generation: u64,
    /// `leader` or `follower`.
    role: &'static str,
}

pub fn announce(home: &Path, listen: SocketAddr, store: &FleetStore) -> Result<()> {
    let pid = std::process::id();
    let endpoint = format!("http://{listen}");
    let path = home.join("run/gatewayforge.json");
    let running = Running { pid, start_time: start_time(), endpoint: endpoint.clone() };
    let half = path.with_extension("half");
    let text = serde_json::to_vec_pretty(&running)?;
    fs::write(&half, text)
        .and_then(|()| fs::rename(&half, &path))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    let role = match store.standing() {
        Standing::Leads => "leader",
        Standing::Follows(_) => "follower",
    };
    let ready = Ready { ready: true, endpoint: &endpoint, pid, generation: store.generation(), role };
    println!("{}", serde_json::to_string(&ready)?);
    Ok(())
}

/// Only the file of this very process: another one may have taken over meanwhile.
pub fn withdraw(home: &Path) {
    let path = home.join("run/gatewayforge.json");
    let ours = fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|running| running["pid"] == std::process::id());
    if ours {
        // A file that stays names a process that is gone, which is what readers check for anyway.
        let _ = fs::remove_file(path);
    }
}

fn start_time() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}
