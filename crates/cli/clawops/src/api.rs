//! The REST API as this program uses it. What the control plane refuses becomes a [`Refusal`] with its own words.

use crate::controllers::{self, Turn};
use crate::home::Home;
use crate::http::{self, Ask, Events, HttpError, Opened};
use crate::problem::{Problem, Refusal, Result};
use bytes::Bytes;
use hyper::{Method, StatusCode, body::Incoming};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;

#[derive(Clone)]
pub struct Api {
    /// At least one.
    known: Vec<SocketAddr>,
    key: String,
}

impl Api {
    /// With the key of `CLAWOPS_KEY` (a person's own), else the first admin's, which `up` left in the home.
    pub fn open(home: &Home) -> Result<Self> {
        let key = match std::env::var("CLAWOPS_KEY") {
            Ok(key) if !key.is_empty() => key,
            _ => {
                let path = home.key("operator.key");
                match fs::read_to_string(&path) {
                    Ok(key) => key.trim().to_owned(),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                        return Err(Problem::NotRunning {
                            what: "the control plane",
                            addr: home.control_plane().to_string(),
                        });
                    }
                    Err(e) => return Err(Problem::file(&path, e)),
                }
            }
        };
        Ok(Self { known: controllers::known(home)?, key })
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.exchange(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.exchange(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.exchange(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.exchange(Method::DELETE, path, None).await
    }

    /// The same door that the agents' tools use, with a person's key.
    pub async fn tool(&self, name: &str, arguments: Value) -> Result<Value> {
        self.post(&format!("/v1/tools/{name}"), arguments).await
    }

    pub async fn events(&self, path: &str) -> Result<Events> {
        Ok(Events::of(self.stream(Method::GET, path).await?))
    }

    /// An answer that is read as it comes, from whoever gives one.
    pub async fn stream(&self, method: Method, path: &str) -> Result<Incoming> {
        let mut turn = Turn::of(&self.known);
        let mut problem = self.nobody();
        while let Some(addr) = turn.next() {
            match http::stream(addr, self.ask(method.clone(), path, None, None)).await {
                Ok(Opened::Stream(body)) => return Ok(body),
                Ok(Opened::Refused(status, body)) => {
                    let refusal = refusal(status, &body);
                    if !turn.goes_on(&refusal) {
                        return Err(refusal.into());
                    }
                    problem = refusal.into();
                }
                Err(error @ HttpError::Unreachable(_)) => problem = unreachable(path, error),
                Err(error) => return Err(unreachable(path, error)),
            }
        }
        Err(problem)
    }

    fn ask<'a>(
        &'a self,
        method: Method,
        path: &'a str,
        key: Option<&'a str>,
        body: Option<Vec<u8>>,
    ) -> Ask<'a> {
        Ask { method, path, bearer: Some(&self.key), idempotency_key: key, body }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        // A command that is sent once is done once, also when its answer is lost on the way.
        let once = (method != Method::GET).then(fresh_key);
        let body = body.map(|body| body.to_string().into_bytes());
        let mut turn = Turn::of(&self.known);
        let mut problem = self.nobody();
        while let Some(addr) = turn.next() {
            let ask = self.ask(method.clone(), path, once.as_deref(), body.clone());
            let (status, body) = match http::exchange(addr, ask).await {
                Ok(answer) => answer,
                // Nothing was sent there. Any other failure may have had its effect.
                Err(error @ HttpError::Unreachable(_)) => {
                    problem = unreachable(path, error);
                    continue;
                }
                Err(error) => return Err(unreachable(path, error)),
            };
            if status.is_success() {
                return read(path, &body);
            }
            let refusal = refusal(status, &body);
            if !turn.goes_on(&refusal) {
                return Err(refusal.into());
            }
            problem = refusal.into();
        }
        Err(problem)
    }

    fn nobody(&self) -> Problem {
        let addr = self.known.first().map_or_else(String::new, ToString::to_string);
        Problem::NotRunning { what: "the control plane", addr }
    }
}

fn read(path: &str, body: &Bytes) -> Result<Value> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body)
        .map_err(|e| Problem::Unexpected { path: path.to_owned(), problem: e.to_string() })
}

fn unreachable(path: &str, error: HttpError) -> Problem {
    match error {
        HttpError::Unreachable(addr) => {
            Problem::NotRunning { what: "the control plane", addr: addr.to_string() }
        }
        HttpError::Broken(problem) => Problem::Unexpected { path: path.to_owned(), problem },
    }
}

pub fn fresh_key() -> String {
    let mut bytes = [0u8; 16];
    // Without randomness there is no key, and so no request that could be mistaken for another one.
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => format!("{:?}-{}", std::time::SystemTime::now(), std::process::id()),
    }
}

fn refusal(status: StatusCode, body: &Bytes) -> Refusal {
    let parsed: Option<Refusal> = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| serde_json::from_value(body["error"].clone()).ok());
    let mut refusal = parsed.unwrap_or_else(|| Refusal {
        message: format!("the control plane answered {status}: {}", String::from_utf8_lossy(body)),
        ..Refusal::default()
    });
    refusal.status = status.as_u16();
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_the_control_planes_own_words() {
        let body = Bytes::from_static(
            br#"{"error":{"code":"unknown_tier","message":"There is no tier gold.","field":"tier","value":"gold","fix":"use nano, standard, pro or enterprise"}}"#,
        );
        let refusal = refusal(StatusCode::BAD_REQUEST, &body);
        assert_eq!(refusal.field.as_deref(), Some("tier"));
        assert!(refusal.to_string().contains("fix:   use nano"));
    }
}
