//! Requests to the API by route, method and outcome, and how long they took.

use crate::Api;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use std::time::Instant;

type Labels = [(&'static str, String); 2];
type Outcome = [(&'static str, String); 3];

/// From a read out of memory to the longest that a request may take.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone)]
pub struct Requests {
    ended: Family<Outcome, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        Self { ended: Family::default(), seconds }
    }
}

impl Requests {
    pub fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests by route and outcome", self.ended.clone());
        let help = "Seconds until the head of the answer, by route";
        registry.register("http_request_seconds", help, self.seconds.clone());
    }

    fn saw(&self, method: String, route: String, status: u16, seconds: f64) {
        let outcome = format!("{}xx", status / 100);
        let ended = [("method", method.clone()), ("route", route.clone()), ("outcome", outcome)];
        self.ended.get_or_create(&ended).inc();
        self.seconds.get_or_create(&[("method", method), ("route", route)]).observe(seconds);
    }
}

/// Counts a request of a known route; anything else could be any text, and is counted as one.
pub async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let known = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (method, route) = match known {
        Some(route) => (request.method().to_string(), route),
        None => ("other".to_owned(), "other".to_owned()),
    };
    let began = Instant::now();
    let response = next.run(request).await;
    api.requests_seen.saw(method, route, response.status().as_u16(), began.elapsed().as_secs_f64());
    response
}
