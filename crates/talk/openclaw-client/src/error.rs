//! What can go wrong between us and a gateway, told apart by what the caller can do about it.

use serde::Deserialize;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no OpenClaw answers at {addr}")]
    Unreachable {
        addr: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("{addr} does not complete a WebSocket handshake; is another program listening there?")]
    Handshake {
        addr: SocketAddr,
        #[source]
        source: Box<tokio_tungstenite::tungstenite::Error>,
    },
    /// The gateway answered, and the answer is no.
    #[error("OpenClaw refused {method}: {error}")]
    Refused {
        method: String,
        #[source]
        error: Box<RpcError>,
    },
    #[error("OpenClaw did not answer {method} within {after:?}")]
    Timeout { method: String, after: Duration },
    #[error("the connection to OpenClaw is closed: {reason}")]
    Closed { reason: String },
    #[error("OpenClaw's answer to {method} has another shape than expected: {problem}")]
    Unexpected { method: String, problem: String },
    #[error("{program} is version {found}, ClawOps is built for {supported}; install that version")]
    Version { program: &'static str, found: String, supported: &'static str },
    #[error("{addr} answered {path} with something that is not OpenClaw's page: {problem}")]
    NotOpenClaw { addr: SocketAddr, path: &'static str, problem: String },
}

impl Error {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Closed { .. } => true,
            Self::Refused { error, .. } => error.retryable,
            _ => false,
        }
    }

    /// The gateway's own refusal, if it is one.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Refused { error, .. } => Some(error),
            _ => None,
        }
    }

    pub(crate) fn unexpected(method: &str, problem: impl ToString) -> Self {
        Self::Unexpected { method: method.into(), problem: problem.to_string() }
    }
}

/// The `error` object of a response frame.
#[derive(Debug, Clone, PartialEq, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message} ({code})")]
pub struct RpcError {
    pub code: String,
    pub message: String,
    #[serde(default)]
    pub details: Option<Value>,
    #[serde(default)]
    pub retryable: bool,
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

impl RpcError {
    /// `details.reason` or `details.code`: what the gateway's own programs branch on.
    pub fn reason(&self) -> Option<&str> {
        let details = self.details.as_ref()?;
        details.get("reason").or_else(|| details.get("code"))?.as_str()
    }

    /// Whether the gateway is suspended or draining, which ends by itself.
    pub fn suspending(&self) -> bool {
        self.reason() == Some("gateway-suspending")
    }
}
