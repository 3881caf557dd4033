//! What every request passes before a handler sees it: the host it was sent to, the size of its body, who sent it,
//! whether they may, and whether it was done before.

use super::{Identity, browser, conversation, person, plugin};
use crate::{
    Api,
    auth::access::Access,
    idempotency, matching,
    openapi::{Rule, Rules},
    problem::Problem,
    standing::{self, Serves},
};
use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use gf_model::{person::Principal, trace};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tracing::Instrument;

/// The W3C's header: who asks may bring a trace of their own, and is told which one it is.
const TRACEPARENT: &str = "traceparent";
pub const LARGEST_BODY: usize = 1 << 20;
pub const LONGEST_REQUEST: Duration = Duration::from_secs(30);
const LONGEST_BODY_WAIT: Duration = Duration::from_secs(10);

/// What the gate works with.
#[derive(Clone)]
pub struct Gate {
    pub api: Api,
    pub rules: Arc<Rules>,
}

/// Words by which a body would say who called.
const ACTORS: [&str; 12] = [
    "actor",
    "agent",
    "agentId",
    "approvedBy",
    "asAgent",
    "caller",
    "onBehalfOf",
    "person",
    "principal",
    "requestedBy",
    "requester",
    "senderIsOwner",
];

pub async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    admit(gate, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn admit(gate: Gate, request: Request, next: Next) -> Result<Response, Problem> {
    let api = &gate.api;
    let (mut parts, body) = request.into_parts();
    if !api.options.allow_remote {
        loopback_host(&parts)?;
    }
    let matched =
        parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let rule = gate.rules.iter().find(|((method, path), _)| *method == parts.method && *path == matched);
    // A known path with another method has no rule either; the router answers it without any handler.
    let Some((_, rule)) = rule else { return Ok(next.run(Request::from_parts(parts, body)).await) };

    let bytes = tokio::time::timeout(LONGEST_BODY_WAIT, to_bytes(body, LARGEST_BODY))
        .await
        .map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "the body did not arrive within 10 s")
        })?
        .map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is too large or was cut short",
            )
            .fix("send at most 1 MiB")
        })?;

    let mut key = None;
    // Held until it is answered.
    let mut _admitted = None;
    let mut followed = api.trace();
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|from| from.0.ip());
    if rule.access == Access::Open {
        api.pace.stranger(from)?;
    } else {
        let proven = authenticate(api, rule.access, &parts, &bytes);
        let mut who = match proven {
            Ok(who) => who,
            Err(unproven) => {
                api.pace.stranger(from)?;
                return Err(unproven);
            }
        };
        if let Some(brought) = header_text(&parts.headers, TRACEPARENT).and_then(trace::of_traceparent) {
            who.trace = brought.to_owned();
        }
        rule.access.admits(&who)?;
        _admitted = Some(api.pace.admit(&who, parts.method != Method::GET)?);
        if parts.method != Method::GET {
            refuse_actor(&parts, &bytes)?;
            key = match standing::may_serve(&api.store.standing(), rule.follower_serves, &parts, &bytes)? {
                Serves::Everything => idempotency::key_of(&who, &parts, &bytes)?,
                // What only reads is done as often as it is asked for.
                Serves::Reads => None,
            };
        }
        followed = who.trace.clone();
        parts.extensions.insert(who);
        parts.extensions.insert(idempotency::Given(key.clone()));
    }
    let digest = idempotency::digest_of(&parts, &bytes);
    let asked = (parts.method.clone(), matched.clone());
    let run = async {
        let run = as_seen(api, rule, parts, bytes, next);
        tokio::time::timeout(LONGEST_REQUEST, run).await.map_err(|_| too_slow())?
    };
    let span = tracing::info_span!(
        "request",
        trace = followed,
        method = %asked.0,
        route = asked.1,
        status = tracing::field::Empty
    );
    let run = run.instrument(span.clone());
    let response = match key {
        None => run.await,
        Some(key) => idempotency::once(api, &key, digest, rule.shown_once, run).await,
    };
    let status = response.as_ref().map_or_else(|problem| problem.status, |found| found.status().as_u16());
    span.record("status", tracing::field::display(status));
    let behind = standing::headers(&api.store);
    let parent = [(TRACEPARENT, trace::traceparent(&followed, api.entropy.next_u64()))];
    response.map(|response| (behind, parent, response).into_response())
}

/// Runs a request, if what it is about still is as its caller saw it.
async fn as_seen(
    api: &Api,
    rule: &Rule,
    mut parts: Parts,
    bytes: Bytes,
    next: Next,
) -> Result<Response, Problem> {
    let Some(object) = rule.object else {
        return Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await);
    };
    let path = parts.uri.path().to_owned();
    // Decoded, as the handler is given them.
    let named = RawPathParams::from_request_parts(&mut parts, &()).await;
    let named: Vec<String> = named.iter().flatten().map(|(_, value)| value.to_owned()).collect();
    let current = async || matching::tag(api, object, &named).await;
    let _turn = match parts.method == Method::GET {
        true => None,
        false => {
            let turn = api.changing.turn(&path).await;
            matching::check(&parts.headers, current().await.as_deref(), rule)?;
            Some(turn)
        }
    };
    let seen = match parts.method == Method::GET {
        true => None,
        false => matching::seen(&parts.headers, object, &named),
    };
    let known = match parts.method == Method::GET {
        true => current().await.filter(|tag| matching::is_known(&parts.headers, tag)),
        false => None,
    };
    if let Some(tag) = known {
        return Ok((StatusCode::NOT_MODIFIED, matching::header_of(&tag)).into_response());
    }
    let run = next.run(Request::from_parts(parts, Body::from(bytes)));
    let response = match &seen {
        Some(seen) => seen.rests_on(run).await,
        None => run.await,
    };
    if seen.is_some_and(|seen| seen.was_refused()) {
        return Err(matching::not_as_seen(current().await.as_deref()));
    }
    match current().await.filter(|_| response.status().is_success()) {
        Some(tag) => Ok((matching::header_of(&tag), response).into_response()),
        None => Ok(response),
    }
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", "the control plane did not finish within 30 s")
        .fix("ask for the operation's progress; with an Idempotency-Key the request may be repeated safely")
}

/// A web page elsewhere can make a browser send requests here by pointing its own name at this address.
fn loopback_host(parts: &Parts) -> Result<(), Problem> {
    let host = header_text(&parts.headers, header::HOST.as_str()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    if matches!(name, "127.0.0.1" | "localhost" | "::1") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong_host",
        "this address is served on loopback only",
    )
    .at("Host", host)
    .fix("use http://127.0.0.1 and the port"))
}

fn authenticate(api: &Api, access: Access, parts: &Parts, body: &[u8]) -> Result<Identity, Problem> {
    let bearer = header_text(&parts.headers, "authorization").and_then(|text| text.strip_prefix("Bearer "));
    let caller = header_text(&parts.headers, plugin::CALLER_HEADER);
    let signature = header_text(&parts.headers, plugin::SIGNATURE_HEADER);
    match (bearer, caller, signature) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(unauthorized("two callers in one request")
            .fix("send either a person's key or the plugin's signature")),
        (Some(key), None, None) => by_key(api, key.trim()),
        (None, Some(caller), Some(signature)) => by_signature(api, parts, body, caller, signature),
        _ if access == Access::Page => by_cookie(api, &parts.headers),
        _ => Err(unauthorized("nobody said who is asking").fix("send `Authorization: Bearer <key>`")),
    }
}

fn by_key(api: &Api, key: &str) -> Result<Identity, Problem> {
    let found = api.store.read(|fleet| {
        person::owner(fleet.people.values(), key).map(|person| (person.id.clone(), person.role))
    });
    let (id, role) = found.ok_or_else(|| {
        unauthorized("this key belongs to nobody").fix("use the key in keys/operator.key, or ask an admin")
    })?;
    let principal = Principal::Person(id);
    Ok(Identity { principal, role: Some(role), conversation: None, trace: api.trace(), call: None })
}

fn by_signature(
    api: &Api,
    parts: &Parts,
    body: &[u8],
    caller: &str,
    signature: &str,
) -> Result<Identity, Problem> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let signed = plugin::Signed { method: parts.method.as_str(), path, body, caller, signature };
    let claims = api.verifier.verify(&signed, api.clock.now())?;
    let session = claims.session_key.unwrap_or_default();
    Ok(Identity {
        conversation: conversation::of_session(&session),
        principal: Principal::Agent(claims.agent),
        role: None,
        trace: claims.run_id.as_deref().map_or_else(|| api.trace(), |run| trace_of_run(&session, run)),
        call: claims.run_id.zip(claims.call_id).map(|(run, call)| format!("{session}/{run}/{call}")),
    })
}

/// Everything that an agent does in one turn of a conversation is one trace, however many tools it calls.
fn trace_of_run(session: &str, run: &str) -> String {
    let digest = Sha256::new().chain_update(session).chain_update([0]).chain_update(run).finalize();
    hex::encode(&digest[..16])
}

fn by_cookie(api: &Api, headers: &HeaderMap) -> Result<Identity, Problem> {
    let id = browser::cookie_of(headers).and_then(|cookie| api.browsers.person(cookie, api.clock.now()));
    let role = id.as_ref().and_then(|id| {
        api.store.read(|fleet| fleet.people.get(id).filter(|who| !who.disabled).map(|who| who.role))
    });
    match (id, role) {
        (Some(id), Some(role)) => Ok(Identity {
            principal: Principal::Person(id),
            role: Some(role),
            conversation: None,
            trace: api.trace(),
            call: None,
        }),
        _ => Err(unauthorized("this browser has not signed in").fix("run `clawops page`")),
    }
}

/// The person who reads the page with these headers, if they signed in.
pub fn reader(api: &Api, headers: &HeaderMap) -> Option<Identity> {
    match header_text(headers, "authorization").and_then(|text| text.strip_prefix("Bearer ")) {
        Some(key) => by_key(api, key.trim()).ok(),
        None => by_cookie(api, headers).ok(),
    }
}

fn unauthorized(message: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Who called is proven by the request, so a body that claims it is confused or lying.
fn refuse_actor(parts: &Parts, body: &[u8]) -> Result<(), Problem> {
    let Ok(Value::Object(map)) = serde_json::from_slice(body) else { return Ok(()) };
    // The audit log is asked for rows of an actor.
    let is_filter = |key: &str| key == "actor" && parts.uri.path().ends_with("/gf_audit_log");
    match map.keys().find(|key| ACTORS.contains(&key.as_str()) && !is_filter(key)) {
        None => Ok(()),
        Some(key) => Err(Problem::bad_request("actor_in_body", "who called is never a parameter")
            .at(key, &map[key])
            .fix(format!("leave {key} out; the control plane knows who called"))),
    }
}
