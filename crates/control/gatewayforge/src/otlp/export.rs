//! Sends spans in batches. A batch that the collector does not take is lost, and counted.

use gf_api::SpanCounts;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::mpsc;

/// What comes within this time goes in one request.
const GATHER: Duration = Duration::from_millis(500);
const BATCH: usize = 512;

pub struct Exporter {
    url: String,
    spans: mpsc::Receiver<Span>,
    pub counts: Arc<SpanCounts>,
    http: reqwest::Client,
}

impl Exporter {
    pub fn new(
        url: String,
        spans: mpsc::Receiver<Span>,
        counts: Arc<SpanCounts>,
        http: reqwest::Client,
    ) -> Self {
        Self { url, spans, counts, http }
    }

    /// Until it is dropped, or nobody makes spans any more.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut taken = true;
        while let Some(first) = self.spans.recv().await {
            batch.push(first);
            tokio::time::sleep(GATHER).await;
            while batch.len() < BATCH
                && let Ok(next) = self.spans.try_recv()
            {
                batch.push(next);
            }
            let count = batch.len() as u64;
            match self.send(std::mem::take(&mut batch)).await {
                Ok(()) => {
                    taken = true;
                    self.counts.sent.fetch_add(count, Ordering::Relaxed);
                }
                Err(why) => {
                    self.counts.lost.fetch_add(count, Ordering::Relaxed);
                    // Said once for as long as it lasts; the count goes on.
                    if std::mem::replace(&mut taken, false) {
                        tracing::warn!(%why, "the OTLP collector took no spans; they are lost");
                    }
                }
            }
        }
    }

    async fn send(&self, spans: Vec<Span>) -> Result<(), reqwest::Error> {
        let body = request(spans).encode_to_vec();
        let order = self.http.post(&self.url).header("content-type", "application/x-protobuf").body(body);
        // The address may hold a token: it is not repeated in what goes wrong.
        let answer = order.send().await.map_err(reqwest::Error::without_url)?;
        answer.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(())
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
    };
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![text("service.name", "gatewayforge"), text("service.version", version)];
    let scope =
        InstrumentationScope { name: "clawops".into(), version: version.into(), ..Default::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}
