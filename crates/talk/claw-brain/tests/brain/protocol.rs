//! The chat-completions protocol as a client sees it.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use claw_brain::server::{BODY_LIMIT, router};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY: &str = "brain-key-0123456789";

fn service() -> Router {
    router(KEY.to_owned())
}

async fn send(path: &str, key: Option<&str>, body: Option<Body>) -> (StatusCode, String, String) {
    let mut request = Request::builder().uri(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = match body {
        Some(body) => request.method("POST").body(body).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    };
    let response = service().oneshot(request).await.unwrap();
    let status = response.status();
    let kind = response.headers().get("content-type").map_or("", |v| v.to_str().unwrap()).to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

async fn chat(body: &Value) -> (StatusCode, String, String) {
    send("/v1/chat/completions", Some(KEY), Some(Body::from(body.to_string()))).await
}

fn request(text: &str, stream: bool) -> Value {
    let tools = ["gf_fleet_status", "gf_cost_report"]
        .map(|name| json!({ "type": "function", "function": { "name": name, "parameters": {} } }));
    json!({ "model": "operator", "stream": stream, "messages": [{ "role": "user", "content": text }], "tools": tools,
        "temperature": 0.2, "stream_options": { "include_usage": true }, "unknown_to_us": [1] })
}

fn chunks(body: &str) -> Vec<Value> {
    let data: Vec<&str> = body
        .split("\n\n")
        .filter(|frame| !frame.is_empty())
        .map(|frame| frame.strip_prefix("data: ").unwrap())
        .collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    data[..data.len() - 1].iter().map(|frame| serde_json::from_str(frame).unwrap()).collect()
}

#[tokio::test]
async fn two_models_are_listed() {
    let (status, _, body) = send("/v1/models", Some(KEY), None).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, StatusCode::OK);
    let ids: Vec<&str> =
        body["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["operator", "companion"]);
}

#[tokio::test]
async fn a_whole_completion_carries_several_tool_calls() {
    let (status, _, body) = chat(&request("How is the fleet and what does it cost?", false)).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["object"], "chat.completion");
    let choice = &body["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    let names: Vec<&str> = calls.iter().map(|call| call["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["gf_fleet_status", "gf_cost_report"]);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(calls[0]["function"]["arguments"], "{}");
    let usage = &body["usage"];
    let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);
}

#[tokio::test]
async fn a_stream_of_tool_calls_has_the_shape_that_clients_expect() {
    let (status, kind, body) = chat(&request("How is the fleet and what does it cost?", true)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(kind.starts_with("text/event-stream"));
    let chunks = chunks(&body);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["id"] == chunks[0]["id"])
    );
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let deltas: Vec<&Value> =
        chunks.iter().filter_map(|c| c["choices"][0]["delta"]["tool_calls"].get(0)).collect();
    assert_eq!(deltas.len(), 2);
    assert_eq!(deltas[1]["index"], 1);
    assert_eq!(deltas[1]["type"], "function");
    let finishes: Vec<&Value> =
        chunks.iter().map(|c| &c["choices"][0]["finish_reason"]).filter(|f| !f.is_null()).collect();
    assert_eq!(finishes, [&json!("tool_calls")]);
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"]["total_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_stream_of_text_adds_up_to_the_whole_text() {
    let (_, _, whole) = chat(&request("what can you do?", false)).await;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let (_, _, streamed) = chat(&request("what can you do?", true)).await;
    let text: String = chunks(&streamed)
        .iter()
        .filter_map(|c| c["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], json!(text));
    assert!(text.contains("provision") && text.lines().count() > 3);
}

#[tokio::test]
async fn nobody_is_answered_without_the_key() {
    for key in [None, Some("wrong"), Some("")] {
        for path in ["/v1/models", "/v1/chat/completions"] {
            let body = path.ends_with("completions").then(|| Body::from(request("hi", false).to_string()));
            let (status, _, body) = send(path, key, body).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["error"]["code"], "invalid_api_key");
        }
    }
}

#[tokio::test]
async fn a_malformed_request_is_refused_in_the_protocols_shape() {
    let bodies = [
        "{",
        "[]",
        "{\"model\":\"operator\"}",
        "{\"model\":\"operator\",\"messages\":[]}",
        "{\"model\":7,\"messages\":[]}",
    ];
    for bad in bodies {
        let (status, _, body) = send("/v1/chat/completions", Some(KEY), Some(Body::from(bad))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    }
    let (status, _, body) =
        chat(&json!({ "model": "gpt-9", "messages": [{ "role": "user", "content": "hi" }] })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("model_not_found"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let long = "x".repeat(BODY_LIMIT + 1);
    let (status, _, body) = send("/v1/chat/completions", Some(KEY), Some(Body::from(long))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body.contains("request_too_large"));
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let one: Value = serde_json::from_str(&chat(&request("How is the fleet?", false)).await.2).unwrap();
    let two: Value = serde_json::from_str(&chat(&request("How is the fleet?", false)).await.2).unwrap();
    assert_eq!(one["choices"], two["choices"]);
}
