//! How many spans the collector took, and how many are lost.

use prometheus_client::{metrics::counter::ConstCounter, registry::Registry};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct SpanCounts {
    pub sent: AtomicU64,
    pub lost: AtomicU64,
}

impl SpanCounts {
    pub(super) fn register(&self, registry: &mut Registry) {
        let counter = |count: &AtomicU64| ConstCounter::new(count.load(Ordering::Relaxed));
        registry.register("spans_sent", "Spans that the OTLP collector took", counter(&self.sent));
        registry.register("spans_lost", "Spans that no OTLP collector took", counter(&self.lost));
    }
}
