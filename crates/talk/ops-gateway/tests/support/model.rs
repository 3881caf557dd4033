//! A model that does as it is told: an OpenAI-compatible server whose every word is in the prompt.
//!
//! `STEPS [{"tool":"t","args":{…}},…]` in a user's message makes it call those tools one by one and then say what
//! came back; anything else is echoed, and what holds `SLOW` takes a while.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SLOW: Duration = Duration::from_secs(3);

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Value>>>);

pub struct Model {
    pub port: u16,
    seen: Seen,
}

impl Model {
    pub async fn start() -> Self {
        let seen = Seen::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Router::new().route("/v1/chat/completions", post(complete)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, seen }
    }

    /// Every request so far, as OpenClaw sent it.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.0.lock().unwrap().clone()
    }

    /// The tool results that the model was given, in the last request that had any.
    pub fn last_tool_results(&self) -> Vec<String> {
        self.requests()
            .iter()
            .rev()
            .map(|request| turn(request).1)
            .find(|r| !r.is_empty())
            .unwrap_or_default()
    }
}

async fn complete(State(seen): State<Seen>, Json(request): Json<Value>) -> Response {
    let (user, results) = turn(&request);
    seen.0.lock().unwrap().push(request.clone());
    if user.contains("SLOW") {
        tokio::time::sleep(SLOW).await;
    }
    let steps = steps(&user);
    let delta = match steps.get(results.len()) {
        Some(step) => json!({ "tool_calls": [{ "index": 0, "id": format!("call_{}", results.len()),
            "type": "function",
            "function": { "name": step["tool"], "arguments": step["args"].to_string() } }] }),
        None if steps.is_empty() => json!({ "content": format!("ECHO {user}") }),
        None => json!({ "content": format!("RESULT {}", results.join(" | ")) }),
    };
    let finish = if delta.get("tool_calls").is_some() { "tool_calls" } else { "stop" };
    let chunk = |choices: Value| {
        json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": request["model"],
                "choices": choices, "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } })
    };
    let first = chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]));
    let last = chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }]));
    let body = format!("data: {first}\n\ndata: {last}\n\ndata: [DONE]\n\n");
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

fn steps(user: &str) -> Vec<Value> {
    let Some((_, script)) = user.split_once("STEPS ") else { return Vec::new() };
    let first = serde_json::Deserializer::from_str(script).into_iter::<Vec<Value>>().next();
    first.and_then(Result::ok).unwrap_or_default()
}

/// What the user said last, and the tool results since.
fn turn(request: &Value) -> (String, Vec<String>) {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let of_user = |m: &Value| {
        // OpenClaw adds a message of its own, in the user's name, to each turn.
        m["role"] == "user" && !text(&m["content"]).starts_with("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT")
    };
    let at = messages.iter().rposition(of_user).unwrap_or(0);
    let user = messages.get(at).map(|m| text(&m["content"])).unwrap_or_default();
    let results = messages.iter().skip(at).filter(|m| m["role"] == "tool").map(|m| text(&m["content"]));
    (user, results.collect())
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
