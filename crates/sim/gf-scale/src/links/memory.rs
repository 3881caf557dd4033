//! Nodes in memory on a single thread: what a connected one takes, what a heartbeat costs, and a fleet that beats.
//!
//! Both ends are in one process; what the nodes' ends take is there before the first is connected.

use super::{
    crowd::Crowd,
    node,
    surroundings::{Told, hub},
};
use crate::{
    Better, Measured,
    process::{Role, processor, resident},
    stats::median,
};
use anyhow::{Context, Result};
use gf_node_proto::encode;
use serde::{Deserialize, Serialize};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// Heartbeats of a throughput run, whatever the size.
const HEARTBEATS: usize = 500_000;
/// How many are on their way at once in a throughput run.
const AHEAD: usize = 1_000;
const RUNS: usize = 5;

#[derive(Serialize, Deserialize)]
struct Read {
    connected: usize,
    connect_seconds: f64,
    bytes_per_node: f64,
    heartbeats_per_second: Vec<f64>,
    /// At one heartbeat per node and ten seconds.
    percent_of_a_core: f64,
}

pub fn rows() -> Result<Measured> {
    let mut measured = Measured::default();
    for size in SIZES {
        eprintln!("  {size} nodes in memory …");
        let line = Role::start(&["links", "memory", &size.to_string()])?.hear()?;
        let read: Read = serde_json::from_str(&line).with_context(|| format!("{line:?}"))?;
        let rate = median(&read.heartbeats_per_second);
        let nodes = size as usize;
        measured.point("memory per connected node, mem", "B", nodes, read.bytes_per_node);
        measured.point("heartbeats per core and second, mem", "/s", nodes, rate);
        measured.point(
            "controller, one heartbeat per node and 10 s, mem",
            "% of a core",
            nodes,
            read.percent_of_a_core,
        );
        if size != SIZES[SIZES.len() - 1] {
            continue;
        }
        let how = format!("real handshakes with a key each; all in after {:.1} s", read.connect_seconds);
        measured.row(
            "connected nodes in one controller, mem",
            read.connected as f64,
            "",
            (Better::More, 100_000.0),
            how,
        );
        let how = "RSS before and after connecting and one heartbeat each, one instance a node; the nodes' ends too, what they \
                   hold before they dial excepted";
        measured.row(
            "memory per connected node, mem",
            read.bytes_per_node / 1024.0,
            "KiB",
            (Better::Less, 8.0),
            how.into(),
        );
        let how = format!(
            "{RUNS} runs of {HEARTBEATS} over {size} nodes, one thread: frame → decoded → difference → state"
        );
        measured.row(
            "heartbeats per core and second, wire to state (mem)",
            rate,
            "/s",
            (Better::More, 200_000.0),
            how,
        );
        let how =
            "hub's share, over 10 s, the nodes' sending included; the reconcilers' and the store's are not";
        measured.row(
            "hub at 100,000 nodes, one heartbeat per 10 s each",
            read.percent_of_a_core,
            "% of a core",
            (Better::Less, 15.0),
            how.into(),
        );
    }
    Ok(measured)
}

/// The process that measures one size.
pub fn role(size: u32) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(serde_json::to_string(&runtime.block_on(measure(size))?)?)
}

async fn measure(size: u32) -> Result<Read> {
    let (hub, reports) = hub(size, BEAT_EVERY);
    let crowd = Crowd::new(size);
    let told = Told::by(reports);
    let before = resident()?;
    let began = Instant::now();
    crowd.connect(&hub).await?;
    let connect_seconds = began.elapsed().as_secs_f64();
    crowd.beat(0).await?;
    while told.changed.load(Ordering::Relaxed) < size as usize {
        tokio::task::yield_now().await;
    }
    let bytes_per_node = (resident()? - before) as f64 / f64::from(size);
    let connected = hub.nodes().iter().filter(|node| node.connected).count();
    let mut heartbeats_per_second = Vec::new();
    for run in 0..RUNS {
        heartbeats_per_second.push(throughput(&crowd, u32::try_from(run)?).await?);
    }
    let percent_of_a_core = at_their_pace(&crowd).await?;
    Ok(Read { connected, connect_seconds, bytes_per_node, heartbeats_per_second, percent_of_a_core })
}

/// As fast as one thread goes. What the nodes say was encoded before.
async fn throughput(crowd: &Crowd, run: u32) -> Result<f64> {
    let frames =
        (0..crowd.len()).map(|nth| encode(node::heartbeat(u32::try_from(nth)?, run + 1)).context("a frame"));
    let frames: Vec<_> = frames.collect::<Result<_>>()?;
    let began = processor()?;
    for first in (0..HEARTBEATS).step_by(AHEAD) {
        for nth in first..first + AHEAD {
            crowd.send(nth, frames[nth % frames.len()].clone());
        }
        crowd.heard().await;
    }
    Ok(HEARTBEATS as f64 / (processor()? - began).as_secs_f64())
}

/// For ten seconds, spread over them.
async fn at_their_pace(crowd: &Crowd) -> Result<f64> {
    const TICKS: usize = 1_000;
    let frames: Vec<_> = (0..crowd.len())
        .map(|nth| encode(node::heartbeat(u32::try_from(nth)?, 9)).context("a frame"))
        .collect::<Result<_>>()?;
    let mut tick = tokio::time::interval(BEAT_EVERY / TICKS as u32);
    let (began, worked) = (Instant::now(), processor()?);
    for nth in 0..TICKS {
        tick.tick().await;
        for node in (nth..crowd.len()).step_by(TICKS) {
            crowd.send(node, frames[node].clone());
        }
    }
    crowd.heard().await;
    Ok((processor()? - worked).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
}
