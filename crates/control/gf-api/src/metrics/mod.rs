//! What ClawOps says of itself to Prometheus: the fleet as it is counted anyway, and the API's own requests.
//!
//! A label never holds the name of an account, an instance, a node or a person: what a series is of must not grow with the
//! fleet. Nothing here is counted in a way that a request waits for.

mod fleet;
mod http;
mod spans;

pub use http::{Requests, count};
pub use spans::SpanCounts;

use crate::{
    Api, Problem,
    auth::access::Access,
    openapi::{Route, Routes},
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use prometheus_client::{encoding::text, registry::Registry};

const MEDIA: &str = "application/openmetrics-text";

pub fn routes(routes: Routes) -> Routes {
    routes.add(
        Route::get("/metrics", Access::Read, "The fleet and this control plane in numbers, for Prometheus.")
            .media(MEDIA),
        show,
    )
}

async fn show(State(api): State<Api>) -> Result<Response, Problem> {
    let now = api.clock.now();
    let mut registry = Registry::with_prefix("clawops");
    api.requests_seen.register(&mut registry);
    if let Some(spans) = &api.options.spans {
        spans.register(&mut registry);
    }
    let own = fleet::Own::of(&api.store);
    api.counted(|fleet, tally| fleet::register(&mut registry, fleet, tally, &own, now));
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(Problem::internal)?;
    let media = format!("{MEDIA}; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, media)], body).into_response())
}
