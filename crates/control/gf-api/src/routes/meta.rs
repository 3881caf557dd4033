//! Liveness, and what this API is.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json,
    limits::Limits,
    openapi::{Route, Routes},
    problem::Answer,
    standing,
};
use axum::{Extension, Json, extract::State, http::StatusCode};
use gf_model::person::PersonRole;
use gf_store::{Standing, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Alive {
    ok: bool,
    version: &'static str,
    /// How many control planes have led this fleet so far.
    generation: u64,
    #[serde(flatten)]
    standing: standing::Told,
}

/// What a person says who accepts a loss.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AcceptLoss {
    /// The newest transaction that the database still has, as the message says it: whoever accepts has read it.
    stored: u64,
}

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get("/healthz", Access::Open, "Whether the control plane answers.").reply::<Alive>(),
            alive,
        )
        .add(
            Route::post(
                "/v1/store/accept-loss",
                Access::Person(PersonRole::Admin),
                "Goes on without what the database has lost, on a control plane that halted because of it.",
            )
            .body::<AcceptLoss>()
            .reply::<Value>()
            .follower_serves(),
            accept_loss,
        )
        .add(
            Route::get("/v1/limits", Access::Read, "How often one caller may ask.").reply::<Limits>(),
            limits,
        )
        .add(Route::get("/v1/openapi.json", Access::Open, "This document.").reply::<Value>(), document)
        .add(
            Route::get("/v1/tools", Access::Read, "Every tool with its parameters and who may use it.")
                .reply::<Value>(),
            tools,
        )
}

async fn alive(State(api): State<Api>) -> Json<Alive> {
    Json(Alive {
        ok: true,
        version: env!("CARGO_PKG_VERSION"),
        generation: api.store.generation(),
        standing: standing::told(&api.store),
    })
}

async fn accept_loss(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    json::Body(asked): json::Body<AcceptLoss>,
) -> Answer<Value> {
    let halted = match api.store.standing() {
        Standing::Follows(following) => following.halted,
        Standing::Leads => None,
    };
    let stored = halted.as_deref().and_then(|why| match why {
        StoreError::WentBack { stored, .. } => Some(*stored),
        _ => None,
    });
    match stored {
        None => Err(Problem::new(StatusCode::CONFLICT, "nothing_lost", "no loss waits for a word here")),
        Some(stored) if stored != asked.stored => {
            Err(Problem::new(StatusCode::CONFLICT, "another_loss", "the database is not where you saw it")
                .at("stored", asked.stored)
                .fix(format!("its newest transaction is {stored}; read the message again")))
        }
        Some(_) => {
            api.store.accept_loss(who.principal.to_string()).await.map_err(Problem::internal)?;
            Ok(Json(json!({"accepted": true, "stored": stored})))
        }
    }
}

async fn limits(State(api): State<Api>) -> Json<Limits> {
    Json(api.pace.limits)
}

async fn document(State(api): State<Api>) -> Json<Value> {
    Json(api.document.get().cloned().unwrap_or_default())
}

async fn tools() -> Json<Value> {
    Json(gf_tools::schema_document())
}
