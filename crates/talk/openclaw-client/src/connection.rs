//! One connection: the handshake, and the task that pairs answers with questions.
//!
//! Never reconnects by itself ([`crate::session`] does) and never resends: only the caller knows whether a request
//! may happen twice.

use crate::error::{Error, RpcError};
use crate::frame::{Event, Incoming, Request, Response};
use crate::{Result, version};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use zeroize::Zeroizing;

const PROTOCOL: u32 = 4;
/// The gateway's own limit for an authenticated connection (`policy.maxPayload`).
const MAX_FRAME: usize = 25 << 20;
/// A chat turn is a few hundred events; a reader that is further behind has stopped reading.
const EVENT_BACKLOG: usize = 2048;
const OUTGOING_BACKLOG: usize = 64;
const DEFAULT_TICK: Duration = Duration::from_secs(30);

/// A gateway's shared token. Does not show itself, and is wiped when dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// For writing it into the gateway's own configuration; nothing else may need it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where a gateway listens and what opens it. OpenClaw grants the shared token full rights on direct loopback only.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub addr: SocketAddr,
    pub token: Token,
}

/// What the gateway said of itself when it accepted us.
#[derive(Debug, Clone)]
pub struct Hello {
    pub version: String,
    /// Another one after each start of the gateway's process.
    pub boot_id: String,
    pub connection_id: String,
    pub tick: Duration,
    /// `accepting`, `draining` or `prepared`.
    pub suspension: Option<String>,
}

struct Call {
    method: String,
    params: Value,
    answer: oneshot::Sender<std::result::Result<Value, Box<RpcError>>>,
}

/// An open connection. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Client {
    calls: mpsc::Sender<Call>,
    events: broadcast::Sender<Event>,
    closed: watch::Receiver<Option<String>>,
    hello: Arc<Hello>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hello", &self.hello).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects and refuses a gateway of another release than [`crate::SUPPORTED`].
    pub async fn connect(endpoint: &Endpoint, within: Duration) -> Result<Self> {
        let late = |_| Error::Timeout { method: "connect".into(), after: within };
        let client = timeout(within, Self::open(endpoint)).await.map_err(late)??;
        version::check(&client.hello.version)?;
        Ok(client)
    }

    async fn open(endpoint: &Endpoint) -> Result<Self> {
        let addr = endpoint.addr;
        let tcp = TcpStream::connect(addr).await.map_err(|source| Error::Unreachable { addr, source })?;
        tcp.set_nodelay(true).map_err(|source| Error::Unreachable { addr, source })?;
        let limits =
            WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let (mut socket, _) =
            tokio_tungstenite::client_async_with_config(format!("ws://{addr}/"), tcp, Some(limits))
                .await
                .map_err(|source| Error::Handshake { addr, source: Box::new(source) })?;

        // The challenge's nonce is for device identities; a shared token on loopback needs none, but comes after it.
        loop {
            match next(&mut socket).await? {
                Incoming::Event(event) if event.event == "connect.challenge" => break,
                _ => continue,
            }
        }
        let request = Request {
            r#type: "req",
            id: "connect",
            method: "connect",
            params: connect_params(&endpoint.token),
        };
        send(&mut socket, &request).await?;
        let hello = loop {
            match next(&mut socket).await? {
                Incoming::Response(response) if response.id == "connect" => {
                    break hello_of(&outcome(response).map_err(|error| refused("connect", error))?)?;
                }
                _ => continue,
            }
        };

        let (calls, outgoing) = mpsc::channel(OUTGOING_BACKLOG);
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let (closing, closed) = watch::channel(None);
        let tick = hello.tick;
        let client = Self { calls, events: events.clone(), closed, hello: Arc::new(hello) };
        tokio::spawn(async move {
            let reason =
                Pump { socket, outgoing, events, waiting: HashMap::new(), last_id: 0 }.run(tick).await;
            tracing::debug!(%addr, reason, "connection to OpenClaw closed");
            closing.send_replace(Some(reason));
        });
        Ok(client)
    }

    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// All events from now on. A reader that falls 2048 behind is told so by `RecvError::Lagged`.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Waits until the connection has ended and says why.
    pub async fn closed(&self) -> String {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the connection's task ended".into(),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.borrow().is_some() || self.calls.is_closed()
    }

    /// Asks and waits for the answer. `Timeout` and `Closed` do not say whether the gateway acted.
    pub async fn call(&self, method: &str, params: Value, within: Duration) -> Result<Value> {
        let (answer, answered) = oneshot::channel();
        let call = Call { method: method.into(), params, answer };
        let exchange = async {
            if self.calls.send(call).await.is_err() {
                return Err(Error::Closed { reason: self.closed().await });
            }
            match answered.await {
                Ok(outcome) => outcome.map_err(|error| refused(method, error)),
                Err(_) => Err(Error::Closed { reason: self.closed().await }),
            }
        };
        let late = |_| Error::Timeout { method: method.into(), after: within };
        timeout(within, exchange).await.map_err(late)?
    }
}

fn refused(method: &str, error: Box<RpcError>) -> Error {
    Error::Refused { method: method.into(), error }
}

fn outcome(response: Response) -> std::result::Result<Value, Box<RpcError>> {
    if response.ok {
        return Ok(response.payload);
    }
    let unexplained = || RpcError {
        code: "UNKNOWN".into(),
        message: "the gateway gave no reason".into(),
        details: None,
        retryable: false,
        retry_after_ms: None,
    };
    Err(Box::new(response.error.unwrap_or_else(unexplained)))
}

fn connect_params(token: &Token) -> Value {
    json!({
        "minProtocol": PROTOCOL, "maxProtocol": PROTOCOL,
        // Both are closed enums of OpenClaw's; this pair is its loopback control client.
        "client": { "id": "gateway-client", "mode": "backend",
                    "version": env!("CARGO_PKG_VERSION"), "platform": std::env::consts::OS },
        "role": "operator",
        "scopes": ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"],
        // Without it the gateway keeps tool calls out of the `agent` events.
        "caps": ["tool-events"],
        "auth": { "token": token.expose() },
    })
}

fn hello_of(payload: &Value) -> Result<Hello> {
    let text = |pointer: &str| {
        payload
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| Error::unexpected("connect", format!("no {pointer}")))
    };
    let tick = payload.pointer("/policy/tickIntervalMs").and_then(Value::as_u64).filter(|ms| *ms > 0);
    Ok(Hello {
        version: text("/server/version")?,
        boot_id: text("/server/bootId")?,
        connection_id: text("/server/connId")?,
        tick: tick.map_or(DEFAULT_TICK, Duration::from_millis),
        suspension: payload.pointer("/snapshot/suspension/phase").and_then(Value::as_str).map(str::to_owned),
    })
}

async fn send(socket: &mut WebSocketStream<TcpStream>, request: &Request<'_>) -> Result<()> {
    let text = serde_json::to_string(request).map_err(|e| Error::unexpected(request.method, e))?;
    socket.send(Message::text(text)).await.map_err(|e| Error::Closed { reason: e.to_string() })
}

/// The next frame of the protocol; pings and the like are tungstenite's business.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Incoming> {
    loop {
        match socket.next().await {
            None => return Err(Error::Closed { reason: "OpenClaw closed it".into() }),
            Some(Err(e)) => return Err(Error::Closed { reason: e.to_string() }),
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map_or_else(
                    || "OpenClaw closed it".into(),
                    |f| format!("OpenClaw closed it: {} ({})", f.reason.as_str(), u16::from(f.code)),
                );
                return Err(Error::Closed { reason });
            }
            Some(Ok(Message::Text(text))) => {
                return Incoming::parse(&text)
                    .map_err(|e| Error::Closed { reason: format!("OpenClaw sent a broken frame: {e}") });
            }
            Some(Ok(_)) => continue,
        }
    }
}

struct Pump {
    socket: WebSocketStream<TcpStream>,
    outgoing: mpsc::Receiver<Call>,
    events: broadcast::Sender<Event>,
    waiting: HashMap<String, oneshot::Sender<std::result::Result<Value, Box<RpcError>>>>,
    last_id: u64,
}

impl Pump {
    /// Runs until something ends the connection; dropping `waiting` then tells every caller.
    async fn run(mut self, tick: Duration) -> String {
        // The gateway ticks even when nothing happens; two missed ticks mean that nobody is there any more.
        let mut last_heard = Instant::now();
        loop {
            tokio::select! {
                call = self.outgoing.recv() => match call {
                    Some(call) => if let Err(e) = self.ask(call).await { return e.to_string() },
                    None => {
                        let _ = self.socket.close(None).await;
                        return "nobody holds it any more".into();
                    }
                },
                incoming = next(&mut self.socket) => {
                    last_heard = Instant::now();
                    match incoming {
                        Ok(Incoming::Response(response)) => {
                            // An unknown id is the second answer of `agent`, or one whose caller gave up.
                            if let Some(answer) = self.waiting.remove(&response.id) {
                                let _ = answer.send(outcome(response));
                            }
                        }
                        Ok(Incoming::Event(event)) => { let _ = self.events.send(event); }
                        Ok(Incoming::Other) => {}
                        Err(Error::Closed { reason }) => return reason,
                        Err(e) => return e.to_string(),
                    }
                },
                () = tokio::time::sleep_until(last_heard + tick * 2) => {
                    return format!("OpenClaw was silent for {:?}", tick * 2);
                }
            }
        }
    }

    async fn ask(&mut self, call: Call) -> Result<()> {
        self.waiting.retain(|_, answer| !answer.is_closed());
        self.last_id += 1;
        let id = self.last_id.to_string();
        let request = Request { r#type: "req", id: &id, method: &call.method, params: call.params };
        send(&mut self.socket, &request).await?;
        self.waiting.insert(id, call.answer);
        Ok(())
    }
}
