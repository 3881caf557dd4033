//! The gateway's unauthenticated health pages, asked by a real HTTP request.
//!
//! A process with the right name, or a page that answers 500, is not a healthy OpenClaw.

use crate::{Error, Result};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const LARGEST_PAGE: usize = 64 * 1024;

/// `/readyz`: whether the gateway takes new work.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    pub ready: bool,
    /// Why not: `gateway-draining`, …
    #[serde(default)]
    pub failing: Vec<String>,
    #[serde(default)]
    pub uptime_ms: u64,
    #[serde(default)]
    pub event_loop: Option<EventLoop>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLoop {
    #[serde(default)]
    pub degraded: bool,
    #[serde(default, rename = "delayP99Ms")]
    pub delay_p99_ms: f64,
    #[serde(default)]
    pub utilization: f64,
}

/// `/startupz`: how far the start is, and of which release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Startup {
    /// `starting`, `started`, `draining`.
    pub status: String,
    pub version: Option<String>,
}

/// All three pages, each by its own request.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub live: bool,
    pub readiness: Readiness,
    pub version: Option<String>,
}

/// Asks all three pages. An error means that there is no OpenClaw to speak with.
pub async fn http_health(addr: SocketAddr, within: Duration) -> Result<Health> {
    let all = async {
        let live = is_live(addr).await?;
        let readiness = page(addr, "/readyz").await?;
        let startup: Startup = page(addr, "/startupz").await?;
        Ok(Health { live, readiness, version: startup.version })
    };
    in_time(within, all).await
}

/// Whether `/healthz` answers 200 with OpenClaw's own words.
pub async fn live(addr: SocketAddr, within: Duration) -> Result<bool> {
    in_time(within, is_live(addr)).await
}

pub async fn readiness(addr: SocketAddr, within: Duration) -> Result<Readiness> {
    in_time(within, page(addr, "/readyz")).await
}

pub async fn startup(addr: SocketAddr, within: Duration) -> Result<Startup> {
    in_time(within, page(addr, "/startupz")).await
}

async fn in_time<T>(within: Duration, asking: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::Timeout { method: "a health page".into(), after: within };
    timeout(within, asking).await.map_err(late)?
}

async fn is_live(addr: SocketAddr) -> Result<bool> {
    #[derive(Deserialize)]
    struct Live {
        ok: bool,
    }
    let (status, body) = get(addr, "/healthz").await?;
    Ok(status == StatusCode::OK && parse::<Live>(addr, "/healthz", &body)?.ok)
}

/// Readiness and startup say no with a 503 and the same shape of body.
async fn page<T: for<'de> Deserialize<'de>>(addr: SocketAddr, path: &'static str) -> Result<T> {
    let (status, body) = get(addr, path).await?;
    if status != StatusCode::OK && status != StatusCode::SERVICE_UNAVAILABLE {
        return Err(Error::NotOpenClaw { addr, path, problem: format!("status {status}") });
    }
    parse(addr, path, &body)
}

fn parse<T: for<'de> Deserialize<'de>>(addr: SocketAddr, path: &'static str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| Error::NotOpenClaw { addr, path, problem: e.to_string() })
}

async fn get(addr: SocketAddr, path: &'static str) -> Result<(StatusCode, Bytes)> {
    let strange = |e: &dyn std::error::Error| Error::NotOpenClaw { addr, path, problem: e.to_string() };
    let tcp = TcpStream::connect(addr).await.map_err(|source| Error::Unreachable { addr, source })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.map_err(|e| strange(&e))?;
    let request = Request::get(path).header(HOST, addr.to_string()).body(Empty::<Bytes>::new());
    let request = request.map_err(|e| strange(&e))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|e| strange(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_PAGE).collect().await;
        Ok((status, body.map_err(|e| strange(&*e))?.to_bytes()))
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        // The connection has to be driven for the exchange to move; its own end is no answer.
        _ = connection => exchange.await,
    }
}
