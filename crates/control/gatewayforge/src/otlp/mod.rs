//! Spans of ClawOps itself, sent to an OTLP collector (protobuf over HTTP) where one is named.
//!
//! They are a copy for looking at: nothing waits for them, and a collector that is away costs spans and nothing else. What
//! is in one is named here field by field, so that no text that somebody sent can get into it.

mod export;
mod layer;

pub use export::Exporter;
pub use layer::Spans;

use crate::outside;
use anyhow::Result;
use gf_api::SpanCounts;
use std::{path::Path, sync::Arc};
use tokio::sync::mpsc;

/// Spans that wait to be sent; one more is lost.
const WAITING: usize = 4096;

/// What sees the spans, and what sends them: `None` where no collector is named.
pub fn to(endpoint: Option<&str>, authorities: Option<&Path>) -> Result<Option<(Spans, Exporter)>> {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else { return Ok(None) };
    let http = outside::client("the OTLP collector", endpoint, authorities)?;
    let base = endpoint.trim_end_matches('/');
    let url = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
    let (sender, receiver) = mpsc::channel(WAITING);
    let counts = Arc::<SpanCounts>::default();
    let exporter = Exporter::new(url, receiver, Arc::clone(&counts), http);
    Ok(Some((Spans::new(sender, counts), exporter)))
}

/// Where the standard puts traces.
const PATH: &str = "/v1/traces";
