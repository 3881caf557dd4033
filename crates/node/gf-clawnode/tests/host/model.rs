//! A model that answers with everything the user ever said in the conversation, so that a test sees whether a
//! gateway remembers.

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

/// Serves until the test ends.
pub async fn serve() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let routes = Router::new().route("/v1/chat/completions", post(complete));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}

async fn complete(Json(request): Json<Value>) -> ([(&'static str, &'static str); 1], String) {
    let said: Vec<String> = request["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|message| message["role"] == "user")
        .map(|message| text(&message["content"]))
        .filter(|text| !text.starts_with("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT"))
        .collect();
    let chunk = |delta: Value, finish: Value| {
        let body = json!({
            "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]
        });
        format!("data: {body}\n\n")
    };
    let text = format!("You said: {}", said.join(" / "));
    let stream = [
        chunk(json!({"role": "assistant", "content": text}), Value::Null),
        chunk(json!({}), json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ];
    ([("content-type", "text/event-stream")], stream.concat())
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// OpenClaw's configuration for it.
pub fn config(model: SocketAddr) -> Value {
    json!({
        "models": {"mode": "merge", "providers": {"scripted": {
            "baseUrl": format!("http://{model}/v1"), "apiKey": "not-a-key", "api": "openai-completions",
            "models": [{
                "id": "echo", "name": "Echo", "reasoning": false, "input": ["text"],
                "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
                "contextWindow": 128_000, "maxTokens": 4096
            }]
        }}},
        "agents": {"defaults": {"model": {"primary": "scripted/echo"}}},
        "gateway": {"controlUi": {"enabled": false}}
    })
}
