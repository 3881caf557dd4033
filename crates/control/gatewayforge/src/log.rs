//! The log goes to standard error: whoever starts the process decides where that leads. Beside it spans go to a
//! collector, where one is named.

use crate::otlp::Spans;
use tracing_subscriber::{
    EnvFilter, Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt,
};

pub fn start(json: bool, spans: Option<Spans>) {
    let filter = EnvFilter::try_from_env("CLAWOPS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = if json { log.json().boxed() } else { log.with_ansi(false).boxed() };
    // What the log leaves out is a span all the same.
    let spans = spans.map(|spans| spans.with_filter(LevelFilter::INFO));
    tracing_subscriber::registry().with(log.with_filter(filter)).with(spans).init();
}
