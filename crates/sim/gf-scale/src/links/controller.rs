//! A process with the control plane's end of all links and nothing else, so that its memory is only theirs.

use super::{
    nats, node,
    surroundings::{Told, hub},
};
use crate::process::{processor, resident};
use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use gf_node_hub::{CommandMeta, Hub, link_route};
use gf_node_proto::VpsHealth;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

const BEAT_EVERY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_millis(20);

/// Says where it listens, plain and over TLS, then answers.
pub fn role(size: u32) -> Result<()> {
    // As the control plane's own program runs.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (hub, reports) = hub(size, BEAT_EVERY);
        let told = Told::by(reports);
        let (plain, encrypted) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        println!("{} {}", plain.local_addr()?, encrypted.local_addr()?);
        let service = link_route(hub.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(plain, service).await });
        tokio::spawn(hub.clone().serve_remote(encrypted));
        super::answer_lines(async |question| {
            let words: Vec<&str> = question.split(' ').collect();
            match words[..] {
                ["resident"] => Ok(resident()?.to_string()),
                ["processor"] => Ok(processor()?.as_secs_f64().to_string()),
                ["told"] => Ok(told.changed.load(Ordering::Relaxed).to_string()),
                ["connected"] => Ok(hub.nodes().iter().filter(|node| node.connected).count().to_string()),
                ["command", count] => Ok(command_all(&hub, count.parse()?).await?.to_string()),
                ["probe", nth, seconds] => probe(&hub, nth.parse()?, seconds.parse()?).await,
                ["nats", at, count] => {
                    let payload = node::command_bytes()?;
                    Ok(nats::request_all(at.parse()?, count.parse()?, &payload).await?.to_string())
                }
                _ => bail!("a controller cannot {question:?}"),
            }
        })
        .await
    })
}

fn meta() -> CommandMeta {
    static COMMANDS: AtomicU64 = AtomicU64::new(0);
    CommandMeta::new(format!("scale/{:08}", COMMANDS.fetch_add(1, Ordering::Relaxed)), PATIENCE)
}

/// Milliseconds from the first command to the last answer.
async fn command_all(hub: &Hub, count: u32) -> Result<f64> {
    let nodes: Vec<_> = (0..count).map(node::id).collect();
    let began = Instant::now();
    let started: Vec<_> =
        nodes.iter().map(|node| hub.start(node, VpsHealth {}, meta())).collect::<Result<_, _>>()?;
    try_join_all(started.into_iter().map(|pending| pending.answer())).await?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// Milliseconds that commands to one node took, one after the other, as a list.
async fn probe(hub: &Hub, nth: u32, seconds: f64) -> Result<String> {
    let (id, began) = (node::id(nth), Instant::now());
    let mut took = Vec::new();
    while began.elapsed().as_secs_f64() < seconds {
        let sent = Instant::now();
        hub.command(&id, VpsHealth {}, meta()).await.context("the steady node")?;
        took.push((sent.elapsed().as_secs_f64() * 1e3).to_string());
        tokio::time::sleep(PROBE_EVERY).await;
    }
    Ok(took.join(" "))
}
