//! The Bot API over HTTP: `/bot<token>/<method>`, parameters as JSON, form or query.

use crate::{Shared, chats};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

/// Telegram's own.
const LARGEST_UPLOAD: usize = 50 << 20;
const LONGEST_POLL: u64 = 50;
const MOST_UPDATES: usize = 100;
const LONGEST_TEXT: usize = 4096;

pub(crate) struct Server;

impl Server {
    pub async fn run(listener: TcpListener, shared: Shared) {
        let app =
            Router::new().fallback(call).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)).with_state(shared);
        // It ends with its task; there is nobody to tell why.
        let _ = axum::serve(listener, app).await;
    }
}

struct Refusal(u16, String);

fn refusal<T>(status: u16, description: &str) -> Result<T, Refusal> {
    Err(Refusal(status, description.into()))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(code, description) = self;
        let mut body = json!({ "ok": false, "error_code": code, "description": description });
        if code == 429 {
            body["parameters"] = json!({ "retry_after": 1 });
        }
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, axum::Json(body)).into_response()
    }
}

async fn call(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    match answer(&shared, &uri, &headers, &body).await {
        Ok(result) => axum::Json(json!({ "ok": true, "result": result })).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer(shared: &Shared, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    let Some((token, method)) = uri.path().strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return refusal(404, "Not Found");
    };
    if !shared.is_token(token) {
        return refusal(401, "Unauthorized");
    }
    let given = parameters(uri, headers, body);
    if let Some(status) = shared.chats().ordered_failure(method) {
        let why = if status == 429 { "Too Many Requests: retry after 1" } else { "ordered by the test" };
        return refusal(status, why);
    }
    shared.chats().calls.push((method.to_owned(), given.clone()));
    let result = match method.to_ascii_lowercase().as_str() {
        "getme" => Ok(chats::bot()),
        "getupdates" => poll(shared, &given).await,
        "getwebhookinfo" => {
            Ok(json!({ "url": "", "has_custom_certificate": false, "pending_update_count": 0 }))
        }
        "sendmessage" => send(shared, &given),
        "editmessagetext" => edit(shared, &given),
        "getmycommands" => Ok(json!([])),
        "deletewebhook"
        | "setwebhook"
        | "setmycommands"
        | "deletemycommands"
        | "sendchataction"
        | "setmessagereaction"
        | "answercallbackquery"
        | "deletemessage"
        | "setmyname" => Ok(json!(true)),
        _ => refusal(404, "Not Found: method not found"),
    };
    shared.tell();
    result
}

fn send(shared: &Shared, given: &Value) -> Result<Value, Refusal> {
    let (Some(chat), Some(text)) = (integer(&given["chat_id"]), given["text"].as_str()) else {
        return refusal(400, "Bad Request: chat_id or text is missing");
    };
    if text.is_empty() {
        return refusal(400, "Bad Request: message text is empty");
    }
    if text.chars().count() > LONGEST_TEXT {
        return refusal(400, "Bad Request: message is too long");
    }
    let reply_to =
        integer(&given["reply_parameters"]["message_id"]).or(integer(&given["reply_to_message_id"]));
    Ok(shared.chats().send(chat, text, reply_to))
}

fn edit(shared: &Shared, given: &Value) -> Result<Value, Refusal> {
    let (Some(chat), Some(id)) = (integer(&given["chat_id"]), integer(&given["message_id"])) else {
        return refusal(400, "Bad Request: chat_id or message_id is missing");
    };
    let edited = shared.chats().edit(chat, id, given["text"].as_str().unwrap_or_default());
    edited.ok_or_else(|| Refusal(400, "Bad Request: message to edit not found".into()))
}

/// Waits like Telegram: until there is something, the time is over, or another poller comes.
async fn poll(shared: &Shared, given: &Value) -> Result<Value, Refusal> {
    let number = |key: &str| integer(&given[key]);
    let offset = number("offset").unwrap_or(0);
    let limit = number("limit").and_then(|n| usize::try_from(n).ok()).unwrap_or(MOST_UPDATES);
    let seconds = number("timeout").and_then(|n| u64::try_from(n).ok()).unwrap_or(0).min(LONGEST_POLL);
    let mut news = shared.news();
    let mine = {
        let mut chats = shared.chats();
        chats.poller += 1;
        chats.poller
    };
    shared.tell();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    loop {
        {
            let mut chats = shared.chats();
            if chats.poller != mine {
                chats.conflicts += 1;
                return refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                );
            }
            let updates = chats.updates(offset, limit.clamp(1, MOST_UPDATES));
            if !updates.is_empty() || tokio::time::Instant::now() >= deadline {
                return Ok(json!(updates));
            }
        }
        let _ = tokio::time::timeout_at(deadline, news.changed()).await;
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn parameters(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Value {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    let form = if kind.starts_with("application/x-www-form-urlencoded") {
        String::from_utf8_lossy(body).into_owned()
    } else {
        uri.query().unwrap_or_default().to_owned()
    };
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(k, v)| (decode(k), json!(decode(v)))).collect::<Map<_, _>>())
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (byte, hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_parameters_are_decoded() {
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            axum::http::HeaderValue::from_static("application/x-www-form-urlencoded"),
        )]);
        let given = parameters(&Uri::from_static("/"), &headers, &Bytes::from("chat_id=7&text=a+b%2Bc%25"));
        assert_eq!(given, json!({ "chat_id": "7", "text": "a b+c%" }));
        assert_eq!(integer(&given["chat_id"]), Some(7));
    }
}
