//! `clawops down`: everything of this machine ends in order, and all state stays.
//!
//! The ops gateway first, so that nobody asks for more; then the control plane and the nodes, so that nothing heals what
//! is being stopped; then the fleet's gateways of this machine, drained; claw-brain last, because their last turns may
//! need it.

use super::instances;
use super::parts::{BRAIN, CONTROL_PLANE, NODES, OPS_GATEWAY};
use super::process::{self, Running};
use crate::home::Home;
use crate::output;
use crate::problem::Result;
use serde_json::json;
use std::time::Duration;

const OPS_GATEWAY_WITHIN: Duration = Duration::from_secs(30);
const OTHERS_WITHIN: Duration = Duration::from_secs(15);

pub async fn down(home: &Home, as_json: bool) -> Result<()> {
    if !home.exists() {
        if as_json {
            output::json(&json!({ "stopped": [] }));
        } else {
            output::print(&format!("Nothing was ever started in {}.", home.dir.display()));
        }
        return Ok(());
    }
    let _lock = super::only_one_at_a_time(home)?;
    let stopped = everything(home, as_json).await;
    if as_json {
        output::json(&json!({ "stopped": stopped }));
    } else if stopped.is_empty() {
        output::print("Nothing was running.");
    } else {
        output::print(&format!("Stopped; all state is kept in {}.", home.dir.display()));
    }
    Ok(())
}

/// In order; the names of what was stopped.
pub async fn everything(home: &Home, silent: bool) -> Vec<String> {
    let nodes: Vec<&str> = NODES.iter().map(|node| node.id).collect();
    let mut stopped = stop_all(home, &[OPS_GATEWAY], OPS_GATEWAY_WITHIN, silent);
    stopped.extend(stop_all(home, &[CONTROL_PLANE], OTHERS_WITHIN, silent));
    stopped.extend(stop_all(home, &nodes, OTHERS_WITHIN, silent));
    for instance in instances::stop_all(home).await {
        if !silent {
            let how =
                if instance.drained { "drained and stopped" } else { "stopped without having been drained" };
            eprintln!("{}: {how}", instance.instance);
        }
        stopped.push(instance.instance);
    }
    stopped.extend(stop_all(home, &[BRAIN], OTHERS_WITHIN, silent));
    stopped
}

/// Side by side, because two nodes need not wait for each other.
fn stop_all(home: &Home, names: &[&str], within: Duration, silent: bool) -> Vec<String> {
    let living: Vec<(&str, Running)> =
        names.iter().filter_map(|name| Some((*name, process::alive(home, name)?))).collect();
    std::thread::scope(|scope| {
        let stops: Vec<_> = living
            .iter()
            .map(|(name, running)| (*name, scope.spawn(move || process::stop(running, within))))
            .collect();
        let mut stopped = Vec::new();
        for (name, stop) in stops {
            let by_itself = stop.join().unwrap_or(false);
            process::forget(home, name);
            if !silent {
                let how = if by_itself { "stopped" } else { "did not end by itself and was killed" };
                eprintln!("{name}: {how}");
            }
            stopped.push(name.to_owned());
        }
        stopped
    })
}
