//! Takes the spans of a trace as they end. It must never wait, and never take a field that is not named here.

use gf_api::SpanCounts;
use gf_model::trace::is_trace;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};
use std::{
    fmt::Debug,
    sync::{Arc, atomic::Ordering},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::mpsc;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// What is a span of a trace, from who asked to where it was done.
const NAMES: [&str; 7] = ["request", "tool", "operation", "lane", "step", "provider", "command"];
/// What is told of one: names of the fleet's own, never what somebody wrote.
const FIELDS: [&str; 10] =
    ["method", "route", "status", "tool", "operation", "verb", "step", "about", "provider", "node"];
const LONGEST: usize = 120;

pub struct Spans {
    to: mpsc::Sender<Span>,
    counts: Arc<SpanCounts>,
}

impl Spans {
    pub fn new(to: mpsc::Sender<Span>, counts: Arc<SpanCounts>) -> Self {
        Self { to, counts }
    }
}

/// A span that has not ended.
struct Open {
    trace: Vec<u8>,
    span: Vec<u8>,
    parent: Vec<u8>,
    began: u64,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    trace: Option<Vec<u8>>,
    attributes: Vec<KeyValue>,
    failed: bool,
}

impl Seen {
    fn take(&mut self, field: &Field, text: String) {
        let name = field.name();
        if name == "trace" && is_trace(&text) {
            self.trace = hex::decode(&text).ok();
        }
        if name == "error" {
            // That it failed; the words may hold anything.
            self.failed = true;
        }
        if !FIELDS.contains(&name) {
            return;
        }
        self.failed |= name == "status" && text.parse::<u16>().is_ok_and(|status| status >= 500);
        let value = Some(AnyValue { value: Some(Value::StringValue(text.chars().take(LONGEST).collect())) });
        self.attributes.push(KeyValue { key: format!("clawops.{name}"), value });
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, format!("{value:?}"));
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Without randomness it is told apart by when it began.
fn fresh(began: u64) -> Vec<u8> {
    let mut id = began.to_be_bytes();
    let _ = getrandom::fill(&mut id);
    id.to_vec()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| NAMES.contains(&span.name())) else { return };
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        let above = span.scope().skip(1).find_map(|above| {
            let extensions = above.extensions();
            extensions.get::<Open>().map(|open| (open.trace.clone(), open.span.clone()))
        });
        let trace = seen.trace.take().or_else(|| above.as_ref().map(|(trace, _)| trace.clone()));
        // What nobody asked for is followed by its log.
        let Some(trace) = trace else { return };
        let parent = above.filter(|(of, _)| *of == trace).map(|(_, span)| span).unwrap_or_default();
        let began = now();
        span.extensions_mut().insert(Open { trace, span: fresh(began), parent, began, seen });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.seen);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let kind = match span.name() {
            "request" => SpanKind::Server,
            "provider" | "command" => SpanKind::Client,
            _ => SpanKind::Internal,
        };
        let code = if open.seen.failed { StatusCode::Error } else { StatusCode::Unset };
        let ended = Span {
            trace_id: open.trace,
            span_id: open.span,
            parent_span_id: open.parent,
            name: span.name().to_owned(),
            kind: kind.into(),
            start_time_unix_nano: open.began,
            end_time_unix_nano: now().max(open.began),
            attributes: open.seen.attributes,
            status: Some(Status { code: code.into(), message: String::new() }),
            ..Span::default()
        };
        if self.to.try_send(ended).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
