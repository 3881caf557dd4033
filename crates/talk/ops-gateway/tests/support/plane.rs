//! A stub of the control plane that checks each signature like the real one and remembers what it was asked.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub caller: Value,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    key: Vec<u8>,
    asked: Vec<Asked>,
    forged: Vec<String>,
    answers: HashMap<String, (StatusCode, Value)>,
}

#[derive(Clone)]
pub struct Plane {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
    news: watch::Sender<usize>,
}

impl Plane {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plane = Self {
            port: listener.local_addr().unwrap().port(),
            inner: Arc::default(),
            news: watch::channel(0).0,
        };
        let app = Router::new().fallback(answer).with_state(plane.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        plane
    }

    pub fn know_key(&self, file: &Path) {
        self.inner.lock().unwrap().key = std::fs::read_to_string(file).unwrap().trim().into();
    }

    /// What a path answers from now on; the path has no query.
    pub fn set(&self, path: &str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).unwrap();
        self.inner.lock().unwrap().answers.insert(path.into(), (status, body));
    }

    /// Everything asked on paths that begin so.
    pub fn asked(&self, prefix: &str) -> Vec<Asked> {
        let inner = self.inner.lock().unwrap();
        inner.asked.iter().filter(|asked| asked.path.starts_with(prefix)).cloned().collect()
    }

    /// Requests whose signature or nonce was not right.
    pub fn forged(&self) -> Vec<String> {
        self.inner.lock().unwrap().forged.clone()
    }

    /// Waits until that many were asked on paths that begin so.
    pub async fn wait(&self, prefix: &str, count: usize, within: Duration) -> Vec<Asked> {
        let mut news = self.news.subscribe();
        let enough = async {
            while self.asked(prefix).len() < count {
                news.changed().await.unwrap();
            }
        };
        let late = tokio::time::timeout(within, enough).await.is_err();
        let asked = self.asked(prefix);
        assert!(!late, "only {} of {count} on {prefix}: {asked:?}", asked.len());
        asked
    }
}

async fn answer(
    State(plane): State<Plane>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (caller, signature) = (header("x-clawops-caller"), header("x-clawops-signature"));
    let mut inner = plane.inner.lock().unwrap();
    if signature != sign(&inner.key, method.as_str(), &path, &caller, &body) {
        inner.forged.push(format!("{method} {path}"));
        return (StatusCode::UNAUTHORIZED, "{}").into_response();
    }
    let caller: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&caller).unwrap()).unwrap();
    if inner.asked.iter().any(|old| old.caller["nonce"] == caller["nonce"]) {
        inner.forged.push(format!("{method} {path} replayed"));
    }
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    inner.asked.push(Asked { method, path, caller, body });
    let fallback = (StatusCode::OK, json!({ "summary": "the stub did nothing", "questions": [] }));
    let (status, answer) = inner.answers.get(uri.path()).cloned().unwrap_or(fallback);
    drop(inner);
    plane.news.send_modify(|n| *n += 1);
    (status, axum::Json(answer)).into_response()
}

fn sign(key: &[u8], method: &str, path: &str, caller: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{method}\n{path}\n{caller}\n{}", hex::encode(Sha256::digest(body))).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// As Standard Webhooks signs.
pub fn webhook_signature(secret: &str, id: &str, at: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
