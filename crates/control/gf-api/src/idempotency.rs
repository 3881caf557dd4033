//! One act per key, however often it is asked for: an answer is kept beside the fleet and given again.

use crate::{Api, auth::Identity, problem::Problem};
use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use gf_model::fleet::{Key, Once};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, sync::Arc};

pub const HEADER: &str = "idempotency-key";
/// An answer larger than this is not kept; no mutation has one.
const LARGEST_ANSWER: usize = 4 << 20;

/// What the names of kept answers begin with.
const KEPT_AS: &str = "answer:";
const KEPT_SECONDS: i64 = 86_400;

/// The key that a handler's request goes by, made its caller's own so that nobody can ask for another's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given(pub Option<String>);

/// Keys whose first request still runs.
#[derive(Default)]
pub struct Running(Arc<Mutex<HashSet<String>>>);

struct Holding(Arc<Mutex<HashSet<String>>>, String);

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

impl Running {
    fn hold(&self, key: &str) -> Option<Holding> {
        let fresh = self.0.lock().insert(key.to_owned());
        fresh.then(|| Holding(Arc::clone(&self.0), key.to_owned()))
    }
}

/// The key that a mutation goes by, if it goes by one.
pub fn key_of(who: &Identity, parts: &Parts, body: &[u8]) -> Result<Option<String>, Problem> {
    if let Some(given) = parts.headers.get(HEADER) {
        let given = given.to_str().unwrap_or_default();
        if given.is_empty() || given.len() > 200 || !given.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::bad_request("bad_idempotency_key", "the Idempotency-Key cannot be used")
                .at("Idempotency-Key", given)
                .fix("use 1 to 200 visible ASCII characters"));
        }
        return Ok(Some(format!("http:{}:{given}", who.principal)));
    }
    // A tool call has a name of its own. Models number their calls anew in every turn, so the content is part of it.
    let Some(call) = &who.call else { return Ok(None) };
    let tool = parts.uri.path().strip_prefix("/v1/tools/").and_then(gf_tools::tool);
    let arguments: Value = serde_json::from_slice(body).unwrap_or_default();
    let content = hex::encode(&Sha256::digest(body)[..8]);
    Ok(tool
        .filter(|tool| !tool.only_reads(&arguments))
        .map(|tool| format!("call:{}:{call}:{}:{content}", who.principal, tool.name)))
}

/// What a repeated request must agree in.
pub fn digest_of(parts: &Parts, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(parts.method.as_str());
    hasher.update(parts.uri.path_and_query().map_or("", |path| path.as_str()));
    hasher.update([0]);
    hasher.update(body);
    hex::encode(hasher.finalize())
}

/// Runs a request, or answers what it was answered before.
pub async fn once(
    api: &Api,
    key: &str,
    digest: String,
    shown_once: bool,
    run: impl Future<Output = Result<Response, Problem>>,
) -> Result<Response, Problem> {
    let Some(_holding) = api.running.hold(key) else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "in_progress",
            "the first request with this key still runs",
        )
        .fix("wait for its answer, then ask again"));
    };
    let kept_as = format!("{KEPT_AS}{key}");
    if let Some(kept) = api.store.read(|fleet| fleet.once.get(&kept_as).cloned()) {
        return again(&kept.answer, &digest);
    }
    let response = run.await?;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST_ANSWER).await.map_err(Problem::internal)?;
    let body = if shown_once { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
    let answer = json!({"digest": digest, "status": parts.status.as_u16(), "body": body});
    let once = Once { key: kept_as, at: api.clock.now(), answer };
    let now = api.clock.now();
    let written = api.store.update(|fleet, tx| {
        let answers = fleet.once.range(KEPT_AS.to_owned()..).take_while(|(key, _)| key.starts_with(KEPT_AS));
        for (key, _) in answers.filter(|(_, once)| now.as_second() - once.at.as_second() > KEPT_SECONDS) {
            tx.delete(Key::Once(key.clone()));
        }
        tx.put(once);
    });
    written.await.map_err(Problem::internal)?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn again(kept: &Value, digest: &str) -> Result<Response, Problem> {
    if kept["digest"] != *digest {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
        )
        .fix("use a fresh key for every new request"));
    }
    if kept["body"].is_null() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "shown_once",
            "this was done, and its answer was shown once",
        )
        .fix("make a new one with a fresh Idempotency-Key"));
    }
    let status = kept["status"].as_u64().and_then(|code| StatusCode::from_u16(code as u16).ok());
    let replay = header::HeaderName::from_static("idempotent-replay");
    let headers = [(header::CONTENT_TYPE, "application/json"), (replay, "true")];
    Ok((status.unwrap_or(StatusCode::OK), headers, kept["body"].to_string()).into_response())
}
