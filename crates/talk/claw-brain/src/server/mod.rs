//! The chat-completions protocol over HTTP: a thin shell around [`crate::respond`].
//!
//! It keeps nothing, logs no message, and answers nobody without the key.

mod completion;
mod failure;

use crate::{MODELS, chat::ChatRequest};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use failure::Failure;
use serde_json::json;
use std::{sync::Arc, time::SystemTime};
use subtle::ConstantTimeEq;

/// Largest request that is read.
pub const BODY_LIMIT: usize = 25 * 1024 * 1024;

struct Key(String);

/// The service; every `/v1` path wants `Authorization: Bearer <key>`.
pub fn router(key: String) -> Router {
    let key = Arc::new(Key(key));
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(complete))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(key, authorised))
        .route("/healthz", get(|| async { "ok" }))
        .fallback(|| async {
            Failure::new(StatusCode::NOT_FOUND, "not_found", "there is no such path").into_response()
        })
}

async fn authorised(
    State(key): State<Arc<Key>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(key.0.as_bytes())) {
        return next.run(request).await;
    }
    Failure::new(StatusCode::UNAUTHORIZED, "invalid_api_key", "the bearer key is missing or wrong")
        .into_response()
}

async fn models() -> Response {
    let data: Vec<_> = MODELS
        .iter()
        .map(|id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "clawops" }))
        .collect();
    Json(json!({ "object": "list", "data": data })).into_response()
}

async fn complete(body: Result<Bytes, BytesRejection>) -> Response {
    let request = match body.map_err(Failure::from).and_then(|body| read(&body)) {
        Ok(request) => request,
        Err(failure) => return failure.into_response(),
    };
    let turn = crate::respond(&request);
    let created = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let completion = completion::Completion::new(&request, turn, created);
    if !request.stream {
        return Json(completion.whole()).into_response();
    }
    let frames =
        completion.frames().into_iter().map(|frame| Ok::<_, std::convert::Infallible>(Bytes::from(frame)));
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(futures_util::stream::iter(frames))).into_response()
}

fn read(body: &[u8]) -> Result<ChatRequest, Failure> {
    let request: ChatRequest = serde_json::from_slice(body).map_err(|problem| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            format!("the body is not a chat request: {problem}"),
        )
    })?;
    if request.messages.is_empty() {
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "messages: at least one message is needed",
        ));
    }
    let model = request.model.rsplit('/').next().unwrap_or_default();
    if !MODELS.contains(&model) {
        let message = format!("model {:?} is not served; use {}", request.model, MODELS.join(" or "));
        return Err(Failure::new(StatusCode::NOT_FOUND, "model_not_found", message));
    }
    Ok(request)
}
