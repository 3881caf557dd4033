//! HTTP to the control plane on this machine: one request per connection, and server-sent events.
//!
//! Plain text on loopback only; it never follows a redirect and never sends a key anywhere else.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const LARGEST_ANSWER: usize = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("nobody listens at {0}")]
    Unreachable(SocketAddr),
    #[error("{0}")]
    Broken(String),
}

fn broken(error: impl std::fmt::Display) -> HttpError {
    HttpError::Broken(error.to_string())
}

pub struct Ask<'a> {
    pub method: Method,
    pub path: &'a str,
    pub bearer: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
    pub body: Option<Vec<u8>>,
}

async fn open(addr: SocketAddr, ask: Ask<'_>) -> Result<Response<Incoming>, HttpError> {
    let tcp = TcpStream::connect(addr).await.map_err(|_| HttpError::Unreachable(addr))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.map_err(broken)?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(ask.method).uri(ask.path).header(HOST, addr.to_string());
    if let Some(key) = ask.bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    if let Some(key) = ask.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    if ask.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(Bytes::from(ask.body.unwrap_or_default()))).map_err(broken)?;
    timeout(ANSWER_WITHIN, sender.send_request(request))
        .await
        .map_err(|_| broken(format!("no answer within {} s", ANSWER_WITHIN.as_secs())))?
        .map_err(broken)
}

pub async fn exchange(addr: SocketAddr, ask: Ask<'_>) -> Result<(StatusCode, Bytes), HttpError> {
    let response = open(addr, ask).await?;
    let status = response.status();
    let body = timeout(ANSWER_WITHIN, Limited::new(response.into_body(), LARGEST_ANSWER).collect());
    let body = body.await.map_err(|_| broken("the answer stopped half-way"))?;
    Ok((status, body.map_err(broken)?.to_bytes()))
}

/// One server-sent event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SseEvent {
    pub event: String,
    pub data: String,
}

pub struct Events {
    body: Incoming,
    reader: SseReader,
}

pub enum Opened {
    Stream(Incoming),
    Refused(StatusCode, Bytes),
}

/// An answer that is read as it comes.
pub async fn stream(addr: SocketAddr, ask: Ask<'_>) -> Result<Opened, HttpError> {
    let response = open(addr, ask).await?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(Opened::Stream(response.into_body()));
    }
    let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await.map_err(broken)?;
    Ok(Opened::Refused(status, body.to_bytes()))
}

impl Events {
    pub fn of(body: Incoming) -> Self {
        Self { body, reader: SseReader::default() }
    }

    /// `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.reader.take() {
                return Some(event);
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.reader.feed(&data);
            }
        }
    }
}

/// Puts events together from pieces that break anywhere.
#[derive(Default)]
struct SseReader {
    buffer: Vec<u8>,
}

impl SseReader {
    fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes.iter().filter(|byte| **byte != b'\r'));
    }

    fn take(&mut self) -> Option<SseEvent> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let event = parse_event(&String::from_utf8_lossy(&block));
            // A block of comments only is the server's sign of life.
            if event != SseEvent::default() {
                return Some(event);
            }
        }
    }
}

fn parse_event(block: &str) -> SseEvent {
    let mut event = SseEvent::default();
    for line in block.lines() {
        let Some((field, value)) = line.split_once(':') else { continue };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event.event = value.to_owned(),
            "data" if event.data.is_empty() => event.data = value.to_owned(),
            "data" => {
                event.data.push('\n');
                event.data.push_str(value);
            }
            _ => {}
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_from_any_pieces() {
        let mut reader = SseReader::default();
        for piece in [": hello\n\nevent: oper", "ation\r\nda", "ta: {\"a\":\ndata: 1}\n", "\nevent: x\n"] {
            reader.feed(piece.as_bytes());
        }
        assert_eq!(reader.take(), Some(SseEvent { event: "operation".into(), data: "{\"a\":\n1}".into() }));
        assert_eq!(reader.take(), None);
    }
}
