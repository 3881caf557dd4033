//! The routes, room by room, and the router that they make together.

mod adoption;
mod approve;
mod audit;
mod automation;
mod backup;
mod decide;
pub(crate) mod events;
mod fleet;
mod meta;
mod nodes;
mod operations;
mod people;
mod records;
mod rules;
mod secrets;
mod signing_keys;
mod sla;
mod stock;
mod upkeep;

use crate::{
    Api, Problem,
    auth::{
        access::Access,
        gate::{self, Gate},
    },
    metrics,
    openapi::{Route, Routes},
    page, tools,
};
use axum::{Router, http::StatusCode, middleware, response::IntoResponse};
use serde_json::Value;
use std::sync::Arc;

fn declared() -> Routes {
    let routes = Routes::default();
    let routes = meta::routes(routes);
    let routes = metrics::routes(routes);
    let routes = fleet::routes(routes);
    let routes = operations::routes(routes);
    let routes = sla::routes(routes);
    let routes = audit::routes(routes);
    let routes = approve::routes(routes);
    let routes = automation::routes(routes);
    let routes = upkeep::routes(routes);
    let routes = nodes::routes(routes);
    let routes = backup::routes(routes);
    let routes = adoption::routes(routes);
    let routes = decide::routes(routes);
    let routes = rules::routes(routes);
    let routes = people::routes(routes);
    let routes = signing_keys::routes(routes);
    let routes = secrets::routes(routes);
    let routes = stock::routes(routes);
    let routes = records::routes(routes);
    let routes = events::routes(routes);
    let routes = page::routes(routes);
    routes.add(
        Route::post("/v1/tools/{name}", Access::Tool, "Calls a tool; its parameters are the body.")
            .query::<tools::CallOptions>()
            .body::<Value>()
            .reply::<Value>(),
        tools::call,
    )
}

/// The whole API with its gate. Merge the node link's route beside it, not into it.
pub fn router(api: Api) -> Router {
    let (router, rules, document) = declared().finish();
    let _ = api.document.set(document);
    let gate = Gate { api: api.clone(), rules: Arc::new(rules) };
    router
        .fallback(|| async {
            not_here("no_such_path", StatusCode::NOT_FOUND, "nothing is served at this path")
        })
        .method_not_allowed_fallback(|| async {
            not_here(
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "this path is not served with this method",
            )
        })
        .layer(middleware::from_fn_with_state(gate, gate::pass))
        .layer(middleware::from_fn_with_state(api.clone(), metrics::count))
        .with_state(api)
}

/// What the router serves, described. The committed copy is `docs/openapi.json`.
pub fn document() -> Value {
    declared().finish().2
}

fn not_here(code: &str, status: StatusCode, message: &str) -> impl IntoResponse + use<> {
    Problem::new(status, code, message).fix("see /v1/openapi.json")
}
