//! Liveness, and what this API is.

use crate::{
    Api,
    auth::access::Access,
    openapi::{Route, Routes},
};
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Alive {
    ok: bool,
    version: &'static str,
    /// How many control planes have led this fleet so far.
    generation: u64,
}

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get("/healthz", Access::Open, "Whether the control plane answers.").reply::<Alive>(),
            alive,
        )
        .add(Route::get("/v1/openapi.json", Access::Open, "This document.").reply::<Value>(), document)
        .add(
            Route::get("/v1/tools", Access::Read, "Every tool with its parameters and who may use it.")
                .reply::<Value>(),
            tools,
        )
}

async fn alive(State(api): State<Api>) -> Json<Alive> {
    Json(Alive { ok: true, version: env!("CARGO_PKG_VERSION"), generation: api.store.generation() })
}

async fn document(State(api): State<Api>) -> Json<Value> {
    Json(api.document.get().cloned().unwrap_or_default())
}

async fn tools() -> Json<Value> {
    Json(gf_tools::schema_document())
}
