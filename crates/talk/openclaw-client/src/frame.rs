//! The three frames of protocol v4, and nothing about what they carry.

use crate::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the gateway tells without being asked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    pub event: String,
    #[serde(default)]
    pub payload: Value,
    /// Counts this connection's events; a gap means that the gateway dropped some for us.
    #[serde(default)]
    pub seq: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub r#type: &'static str,
    pub id: &'a str,
    pub method: &'a str,
    pub params: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    pub id: String,
    pub ok: bool,
    #[serde(default)]
    pub payload: Value,
    #[serde(default)]
    pub error: Option<RpcError>,
}

#[derive(Debug)]
pub(crate) enum Incoming {
    Response(Response),
    Event(Event),
    /// Well-formed, but of a kind that we do not know: a newer gateway may send such.
    Other,
}

impl Incoming {
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            r#type: std::borrow::Cow<'a, str>,
        }
        Ok(match &*serde_json::from_str::<Kind>(text)?.r#type {
            "res" => Self::Response(serde_json::from_str(text)?),
            "event" => Self::Event(serde_json::from_str(text)?),
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames recorded from OpenClaw 2026.9.6, one per line, as `{dir, frame}`.
    const RECORDED: &str = include_str!("../fixtures/frames.jsonl");

    #[test]
    fn every_recorded_frame_from_a_gateway_is_understood() {
        let mut events = 0;
        let mut refusals = Vec::new();
        for line in RECORDED.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["dir"] != "<" {
                continue;
            }
            match Incoming::parse(&line["frame"].to_string()).unwrap() {
                Incoming::Event(event) => {
                    assert!(!event.event.is_empty());
                    events += 1;
                }
                Incoming::Response(response) if !response.ok => refusals.push(response.error.unwrap()),
                Incoming::Response(_) => {}
                Incoming::Other => panic!("unknown frame {line}"),
            }
        }
        assert!(events >= 4, "{events}");
        assert!(
            refusals.iter().any(|e| e.retryable && e.reason() == Some("PAIRING_CHANGED")),
            "{refusals:?}"
        );
    }

    #[test]
    fn unknown_kinds_are_passed_over_and_garbage_is_an_error() {
        assert!(matches!(Incoming::parse(r#"{"type":"hint","x":1}"#).unwrap(), Incoming::Other));
        assert!(Incoming::parse("garbage").is_err());
        assert!(Incoming::parse(r#"{"type":"res","id":3}"#).is_err());
    }
}
