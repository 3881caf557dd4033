//! `clawops status`: which of the processes live, and since when.

use super::parts::{BRAIN, CONTROL_PLANE, NODES, OPS_GATEWAY};
use super::process::{self, Running};
use crate::home::Home;
use crate::output::{self, Paint, paint};
use crate::problem::{Problem, Result};
use serde_json::json;
use std::fs;

/// In the order in which they are stopped.
pub fn names() -> Vec<&'static str> {
    let nodes = NODES.iter().map(|node| node.id);
    [OPS_GATEWAY].into_iter().chain(nodes).chain([BRAIN, CONTROL_PLANE]).collect()
}

pub async fn status(home: &Home, as_json: bool) -> Result<()> {
    let all: Vec<(&str, Option<Running>)> =
        names().into_iter().map(|name| (name, process::alive(home, name))).collect();
    let up = all.iter().filter(|(_, running)| running.is_some()).count();
    if as_json {
        let rows = all.iter().map(|(name, running)| {
            json!({
                "process": name,
                "running": running.is_some(),
                "pid": running.as_ref().map(|running| running.pid),
                "endpoint": running.as_ref().and_then(|running| running.endpoint.clone()),
                "rssBytes": running.as_ref().and_then(|running| resident_bytes(running.pid)),
                "log": home.log(name),
            })
        });
        output::json(&json!({ "home": home.dir, "processes": rows.collect::<Vec<_>>() }));
    } else {
        let rows = all.iter().map(|(name, running)| match running {
            Some(running) => vec![
                (*name).to_owned(),
                paint("up", Paint::Good),
                running.pid.to_string(),
                resident_bytes(running.pid).map_or("–".into(), |bytes| format!("{} MB", bytes >> 20)),
                running.endpoint.clone().unwrap_or("–".into()),
            ],
            None => vec![(*name).to_owned(), paint("down", Paint::Bad), "–".into(), "–".into(), "–".into()],
        });
        output::print(&output::table(&["PROCESS", "STATE", "PID", "MEMORY", "ADDRESS"], rows.collect()));
    }
    match up {
        0 => Err(Problem::NotRunning { what: "the control plane", addr: home.control_plane().to_string() }),
        n if n < all.len() => {
            Err(Problem::Failed("some processes are down; `clawops up` starts them".into()))
        }
        _ => Ok(()),
    }
}

fn resident_bytes(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
