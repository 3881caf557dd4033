//! One node on a real socket, as its node would be: TLS or not, the whole handshake, heartbeats, answers, and redialling
//! after the pauses that a real node makes.

use super::{node, surroundings::control_key};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use gf_clawnode::host::{Wire, encrypt, pause};
use gf_node_hub::LINK_PATH;
use gf_node_proto::{Ticket, decode, encode, envelope};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, sync::watch, time::MissedTickBehavior};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// As long as a real node tries.
const PATIENCE: Duration = Duration::from_secs(10);
const BEAT_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub at: SocketAddr,
    pub encrypted: bool,
}

/// What all sockets of a process did.
#[derive(Default)]
pub struct Counts {
    pub up: AtomicUsize,
    pub attempts: AtomicUsize,
}

/// Keeps a link for ever; lets go of it whenever `rounds` changes.
pub async fn keep(nth: u32, target: Target, counts: Arc<Counts>, mut rounds: watch::Receiver<u32>) {
    let (mut attempt, mut held) = (0, None);
    loop {
        counts.attempts.fetch_add(1, Ordering::Relaxed);
        if let Ok(Ok(mut link)) = tokio::time::timeout(PATIENCE, dial(nth, target, &mut held)).await {
            attempt = 0;
            counts.up.fetch_add(1, Ordering::Release);
            tokio::select! {
                ended = serve(nth, &mut link) => if let Err(why) = ended {
                    eprintln!("node {nth}: {why:#}");
                },
                // Its socket is dropped, as by a machine that lost its network.
                _ = rounds.changed() => {}
            }
            counts.up.fetch_sub(1, Ordering::Release);
        }
        let random = getrandom::u64().unwrap_or_default();
        tokio::time::sleep(pause(attempt, false, random)).await;
        attempt += 1;
    }
}

type Link = WebSocketStream<Box<dyn Wire>>;

async fn dial(nth: u32, target: Target, held: &mut Option<Ticket>) -> Result<Link> {
    let socket = TcpStream::connect(target.at).await?;
    socket.set_nodelay(true)?;
    let stream: Box<dyn Wire> = match target.encrypted {
        true => encrypt(socket, target.at.ip().into(), &control_key().verifying_key()).await?,
        false => Box::new(socket),
    };
    let limits = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(1024);
    let scheme = if target.encrypted { "wss" } else { "ws" };
    let address = format!("{scheme}://{}{LINK_PATH}", target.at);
    let (mut link, _) = client_async_with_config(address, stream, Some(limits)).await?;
    say(&mut link, encode(node::hello(nth, held.as_ref()))?).await?;
    let (proof, shown) = node::proof(nth, held.as_ref(), hear(&mut link).await?)?;
    say(&mut link, proof).await?;
    if let Some(fresh) = node::welcomed(&shown, hear(&mut link).await?)? {
        *held = Some(fresh);
    }
    Ok(link)
}

async fn serve(nth: u32, link: &mut Link) -> Result<()> {
    let mut tick = tokio::time::interval(BEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = 0;
    loop {
        tokio::select! {
            body = hear(link) => {
                if let Some(answer) = node::answer(&body?)? {
                    say(link, answer).await?;
                }
            }
            _ = tick.tick() => {
                say(link, encode(node::heartbeat(nth, beat))?).await?;
                beat += 1;
            }
        }
    }
}

async fn hear(link: &mut Link) -> Result<envelope::Body> {
    loop {
        match link.next().await.context("the connection was closed")?? {
            Message::Binary(frame) => match decode(&frame)? {
                envelope::Body::Goodbye(goodbye) => bail!("goodbye: {goodbye:?}"),
                body => return Ok(body),
            },
            Message::Close(_) => bail!("the connection was closed"),
            _ => {}
        }
    }
}

async fn say(link: &mut Link, frame: Bytes) -> Result<()> {
    Ok(link.send(Message::Binary(frame)).await?)
}
