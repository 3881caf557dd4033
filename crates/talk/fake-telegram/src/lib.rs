//! For tests: Telegram's Bot API on this machine, as a bot sees it, and people to write as.
//!
//! It follows the official contract for what OpenClaw's Telegram channel uses: long polling with offsets, one poller
//! at a time (the earlier one is told 409), wrong tokens (401), and on request the failures of a real day (429, 5xx).
//! It must never be part of a product: it believes whatever a test says about who wrote.

mod api;
mod chats;

pub use chats::{Incoming, Sent};

use api::Server;
use chats::Chats;
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {addr}")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the bot did not do that within {within:?}; it sent {sent:?}")]
    Timeout { within: Duration, sent: Vec<Sent> },
}

/// A running server. It ends when the value is dropped.
#[derive(Debug)]
pub struct FakeTelegram {
    addr: SocketAddr,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Clone)]
pub(crate) struct Shared {
    token: Arc<str>,
    chats: Arc<Mutex<Chats>>,
    /// Counts what happened, so that a poller and a test can wait for the next thing.
    news: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn chats(&self) -> MutexGuard<'_, Chats> {
        self.chats.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn tell(&self) {
        self.news.send_modify(|n| *n += 1);
    }

    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub(crate) fn is_token(&self, token: &str) -> bool {
        *self.token == *token
    }
}

impl FakeTelegram {
    /// Serves one bot with that token; port 0 takes a free one.
    pub async fn start(token: &str, port: u16) -> Result<Self, Error> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| Error::Listen { addr: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let shared = Shared { token: token.into(), chats: Arc::default(), news: watch::channel(0).0 };
        let task = tokio::spawn(Server::run(listener, shared.clone()));
        Ok(Self { addr, shared, task })
    }

    /// What `channels.telegram.apiRoot` is set to.
    pub fn api_root(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Somebody writes to the bot in a private chat. Returns the id of the message.
    pub fn write(&self, from: i64, text: &str) -> i64 {
        self.write_as(Incoming::direct(from, text))
    }

    /// Somebody answers a message by quoting it.
    pub fn reply(&self, from: i64, text: &str, to_message: i64) -> i64 {
        self.write_as(Incoming { reply_to: Some(to_message), ..Incoming::direct(from, text) })
    }

    pub fn write_as(&self, incoming: Incoming) -> i64 {
        let id = self.shared.chats().receive(&incoming);
        self.shared.tell();
        id
    }

    /// Everything that the bot sent or edited, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.chats().sent.clone()
    }

    /// Waits for the first message of the bot that fits.
    pub async fn wait_sent(&self, within: Duration, fits: impl Fn(&Sent) -> bool) -> Result<Sent, Error> {
        let mut news = self.shared.news();
        let found = async {
            loop {
                if let Some(sent) = self.sent().into_iter().find(&fits) {
                    return sent;
                }
                if news.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(within, found).await.map_err(|_| Error::Timeout { within, sent: self.sent() })
    }

    /// The next calls of this method fail with this status, such as 429 or 502.
    pub fn fail_next(&self, method: &str, status: u16, times: usize) {
        self.shared.chats().fail_next(method, status, times);
    }

    /// All calls so far, as `(method, parameters)`.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.shared.chats().calls.clone()
    }

    /// How often a poller was told that another one took over.
    pub fn conflicts(&self) -> usize {
        self.shared.chats().conflicts
    }
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        self.task.abort();
    }
}
