//! As many nodes as one likes, in memory, on a hub: each a few words beside its end of the link, so that what is
//! measured is the hub's. For loads on the whole control plane too: give it that one's hub.

use super::node::{self, Shown};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use gf_node_hub::{Hub, TransportError};
use gf_node_proto::{decode, encode};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Handshakes at the same time: each costs signatures on both sides.
const AT_THE_DOOR: usize = 64;
const BEAT_EVERY: Duration = Duration::from_secs(10);

pub struct Crowd {
    nodes: Vec<Arc<Mutex<Thin>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    up: AtomicUsize,
    /// Frames that the hub has not taken yet.
    waiting: AtomicUsize,
}

/// A node's side of one link.
struct Thin {
    nth: u32,
    session: Session,
    outgoing: VecDeque<Bytes>,
    waker: Option<Waker>,
}

enum Session {
    Greeted,
    Shown(Box<Shown>),
    Up,
    Down,
}

impl Crowd {
    /// Nodes that have not dialled yet.
    pub fn new(size: u32) -> Self {
        let thin = |nth| Thin { nth, session: Session::Down, outgoing: VecDeque::new(), waker: None };
        let nodes = (0..size).map(|nth| Arc::new(Mutex::new(thin(nth)))).collect();
        Self { nodes, counts: Arc::default() }
    }

    /// Links every node to the hub and waits until all were let in.
    pub async fn connect(&self, hub: &Hub) -> anyhow::Result<()> {
        let (mut next, mut looked) = (0, Instant::now());
        for crowd in self.nodes.chunks(AT_THE_DOOR) {
            // Who was let in first must not fall silent until the last is in.
            let up = self.counts.up.load(Ordering::Acquire);
            let share = looked.elapsed().as_secs_f64() / BEAT_EVERY.as_secs_f64();
            looked = Instant::now();
            for _ in 0..(up as f64 * share).ceil() as usize {
                next = (next + 1) % up;
                self.send(next, encode(node::heartbeat(u32::try_from(next)?, 0))?);
            }
            let wanted = self.counts.up.load(Ordering::Acquire) + crowd.len();
            for node in crowd {
                let mut thin = node.lock();
                let hello = encode(node::hello(thin.nth, None))?;
                thin.say(hello, &self.counts);
                thin.session = Session::Greeted;
                let link = Link { node: Arc::clone(node), counts: Arc::clone(&self.counts) };
                let hub = hub.clone();
                tokio::spawn(async move { hub.serve(link).await });
            }
            while self.counts.up.load(Ordering::Acquire) < wanted {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// This node's frame is on its way.
    pub fn send(&self, nth: usize, frame: Bytes) {
        self.nodes[nth % self.nodes.len()].lock().say(frame, &self.counts);
    }

    /// Waits until the hub has taken whatever was sent.
    pub async fn heard(&self) {
        while self.counts.waiting.load(Ordering::Acquire) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Every node says how it is, a few at a time.
    pub async fn beat(&self, beat: u32) -> anyhow::Result<()> {
        for nth in 0..self.nodes.len() {
            self.send(nth, encode(node::heartbeat(u32::try_from(nth)?, beat))?);
            if nth % AT_THE_DOOR == 0 {
                self.heard().await;
            }
        }
        self.heard().await;
        Ok(())
    }
}

struct Link {
    node: Arc<Mutex<Thin>>,
    counts: Arc<Counts>,
}

impl Thin {
    fn say(&mut self, frame: Bytes, counts: &Counts) {
        counts.waiting.fetch_add(1, Ordering::Release);
        self.outgoing.push_back(frame);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn hear(&mut self, frame: &[u8], counts: &Counts) -> anyhow::Result<()> {
        let body = decode(frame)?;
        match std::mem::replace(&mut self.session, Session::Down) {
            Session::Greeted => {
                let (proof, shown) = node::proof(self.nth, None, body)?;
                self.say(proof, counts);
                self.session = Session::Shown(Box::new(shown));
            }
            Session::Shown(shown) => {
                node::welcomed(&shown, body)?;
                self.session = Session::Up;
                counts.up.fetch_add(1, Ordering::Release);
            }
            Session::Up => {
                if let Some(answer) = node::answer(&body)? {
                    self.say(answer, counts);
                }
                self.session = Session::Up;
            }
            Session::Down => {}
        }
        Ok(())
    }
}

impl Stream for Link {
    type Item = Result<Bytes, TransportError>;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut thin = self.node.lock();
        match thin.outgoing.pop_front() {
            Some(frame) => {
                self.counts.waiting.fetch_sub(1, Ordering::Release);
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                thin.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Sink<Bytes> for Link {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Bytes) -> Result<(), Infallible> {
        let mut thin = self.node.lock();
        if let Err(why) = thin.hear(&frame, &self.counts) {
            eprintln!("node {}: {why:#}", thin.nth);
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
