//! The plugin's signature over who called: the ops gateway's host says which agent, session and call it was, and
//! only whoever holds `plugin.key` can have said it.
//!
//! A signature is good for one request: its nonce is remembered for as long as its time would be accepted.

use crate::problem::Problem;
use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use gf_model::Timestamp;
use hmac::{Hmac, Mac};
use parking_lot::Mutex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub const CALLER_HEADER: &str = "x-clawops-caller";
pub const SIGNATURE_HEADER: &str = "x-clawops-signature";

/// How far a caller's clock may be from ours.
const WINDOW_SECONDS: i64 = 60;
/// A flood of signed requests costs memory; more nonces than this within the window are refused.
const MOST_NONCES: usize = 100_000;

/// Who the host says called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claims {
    pub agent: String,
    pub session_key: Option<String>,
    pub run_id: Option<String>,
    pub call_id: Option<String>,
    pub at: Timestamp,
    pub nonce: String,
}

/// A request as it was signed.
pub struct Signed<'a> {
    pub method: &'a str,
    /// With the query, as it was sent.
    pub path: &'a str,
    pub body: &'a [u8],
    pub caller: &'a str,
    pub signature: &'a str,
}

/// Checks signatures. Held once per process: it remembers nonces.
pub struct Verifier {
    key: Vec<u8>,
    /// Signatures from before this process are refused: which nonces were used then is not known.
    since: Timestamp,
    seen: Mutex<HashMap<String, Timestamp>>,
}

impl Verifier {
    pub fn new(key: Vec<u8>, since: Timestamp) -> Self {
        Self { key, since, seen: Mutex::default() }
    }

    pub fn verify(&self, request: &Signed<'_>, now: Timestamp) -> Result<Claims, Problem> {
        let claims = self.genuine(request)?;
        let age = now.as_second() - claims.at.as_second();
        if age.abs() > WINDOW_SECONDS {
            return Err(refused(
                "stale_signature",
                format!("the signature is of {}, and now is {now}", claims.at),
            )
            .fix("sign with the time of the request; it may be 60 s away"));
        }
        if claims.at.as_millisecond() < self.since.as_millisecond() {
            return Err(refused(
                "stale_signature",
                "the signature is older than this control plane".to_owned(),
            )
            .fix("sign the request again"));
        }
        let mut seen = self.seen.lock();
        seen.retain(|_, at| now.as_second() - at.as_second() <= WINDOW_SECONDS);
        if seen.len() >= MOST_NONCES {
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "too many signed requests",
            )
            .fix("wait a minute"));
        }
        if seen.insert(claims.nonce.clone(), claims.at).is_some() {
            return Err(refused("replayed_signature", "this signature was used before".to_owned())
                .fix("sign every request with a nonce of its own"));
        }
        Ok(claims)
    }

    fn genuine(&self, request: &Signed<'_>) -> Result<Claims, Problem> {
        let bad = || refused("bad_signature", "the signature does not fit the request".to_owned());
        let given = request.signature.strip_prefix("v1,").ok_or_else(bad)?;
        let given = STANDARD.decode(given).map_err(|_| bad())?;
        let text = to_sign(request.method, request.path, request.caller, request.body);
        // HMAC takes a key of any length, so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).map_err(Problem::internal)?;
        mac.update(text.as_bytes());
        mac.verify_slice(&given).map_err(|_| bad())?;

        let json = URL_SAFE_NO_PAD.decode(request.caller.trim_end_matches('=')).map_err(|_| bad())?;
        let claims: Claims = serde_json::from_slice(&json)
            .map_err(|why| refused("bad_caller", format!("the caller header cannot be read: {why}")))?;
        let fine = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if !fine(&claims.agent, 64) || !fine(&claims.nonce, 128) {
            return Err(refused("bad_caller", "the caller header names no agent or no nonce".to_owned()));
        }
        Ok(claims)
    }
}

/// What is signed.
pub fn to_sign(method: &str, path: &str, caller: &str, body: &[u8]) -> String {
    format!("{method}\n{path}\n{caller}\n{}", hex::encode(Sha256::digest(body)))
}

fn refused(code: &str, message: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"plugin key";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn caller(at: &str, nonce: &str) -> String {
        let claims = serde_json::json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-ada",
            "callId": "c1", "at": at, "nonce": nonce});
        URL_SAFE_NO_PAD.encode(claims.to_string())
    }

    fn sign(method: &str, path: &str, caller: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(to_sign(method, path, caller, body).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    fn verify(verifier: &Verifier, caller: &str, signature: &str, body: &[u8]) -> Result<Claims, String> {
        let request = Signed { method: "POST", path: "/v1/tools/x", body, caller, signature };
        verifier.verify(&request, at("2026-11-21T08:01:00Z")).map_err(|problem| problem.code)
    }

    #[test]
    fn a_good_signature_is_good_once() {
        let verifier = Verifier::new(KEY.to_vec(), at("2026-11-21T08:00:00Z"));
        let caller = caller("2026-11-21T08:00:30Z", "n1");
        let signature = sign("POST", "/v1/tools/x", &caller, b"{}");
        assert_eq!(verify(&verifier, &caller, &signature, b"{}").unwrap().agent, "commander");
        assert_eq!(verify(&verifier, &caller, &signature, b"{}").unwrap_err(), "replayed_signature");
    }

    #[test]
    fn what_was_signed_cannot_be_changed() {
        let verifier = Verifier::new(KEY.to_vec(), at("2026-11-21T08:00:00Z"));
        let good = caller("2026-11-21T08:00:30Z", "n1");
        let signature = sign("POST", "/v1/tools/x", &good, b"{}");
        assert_eq!(verify(&verifier, &good, &signature, b"{ }").unwrap_err(), "bad_signature");
        let other = caller("2026-11-21T08:00:31Z", "n1");
        assert_eq!(verify(&verifier, &other, &signature, b"{}").unwrap_err(), "bad_signature");
        for other in [sign("GET", "/v1/tools/x", &good, b"{}"), sign("POST", "/v1/tools/y", &good, b"{}")] {
            assert_eq!(verify(&verifier, &good, &other, b"{}").unwrap_err(), "bad_signature");
        }
        for garbage in ["", "v1,", "v1,!!", "v2,AAAA", "v1,AAAA"] {
            assert_eq!(verify(&verifier, &good, garbage, b"{}").unwrap_err(), "bad_signature");
        }
    }

    #[test]
    fn an_old_an_early_and_a_former_signature_are_stale() {
        let verifier = Verifier::new(KEY.to_vec(), at("2026-11-21T08:00:30Z"));
        for when in ["2026-11-21T07:59:59Z", "2026-11-21T08:02:01Z", "2026-11-21T08:00:29Z"] {
            let caller = caller(when, "n");
            let signature = sign("POST", "/v1/tools/x", &caller, b"");
            assert_eq!(verify(&verifier, &caller, &signature, b"").unwrap_err(), "stale_signature", "{when}");
        }
    }
}
