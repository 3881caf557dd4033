//! Changes that say what they change: an object has an ETag, and `If-Match` refuses a change of what somebody else has
//! changed since. Whoever sends none changes what there is.
//!
//! The tag is of what can be changed, not of the answer's bytes: how far an operation is says nothing about whether it
//! may be cancelled.

use crate::{Api, openapi::Rule, problem::Problem};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use gf_model::fleet::{Fleet, Key};
use gf_secrets::Scope;
use gf_store::Seen;
use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// What a route is about; the first name in its path is its own, but for a secret, which has its account's before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Approval,
    Incident,
    Operation,
    Person,
    /// The rules in force: there is one set.
    Rules,
    Schedule,
    /// What is told of it: its name, its version and when it was set.
    Secret,
}

/// Whose turn it is: two changes of one object are never between each other's look and write.
#[derive(Default)]
pub struct Changing(Mutex<HashMap<String, Arc<Turn<()>>>>);

impl Changing {
    pub async fn turn(&self, path: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(name_of(path)).or_default().clone()
        };
        turn.lock_owned().await
    }
}

/// `/v1/people/person-ada` of whatever is below it.
fn name_of(path: &str) -> String {
    path.split('/').take(4).collect::<Vec<_>>().join("/")
}

/// The tag of what the path names, as it is now.
pub async fn tag(api: &Api, object: Object, named: &[String]) -> Option<String> {
    let name = named.first().map_or("", String::as_str);
    match object {
        Object::Rules => Some(quoted(&gf_model::rules::digest(&api.requests.rules().0))),
        Object::Secret => {
            let listed = api.secrets.list(&Scope::Account(name.parse().ok()?)).await.ok()?;
            let versions = listed.into_iter().filter(|secret| Some(&secret.name.0) == named.get(1));
            let secret = versions.max_by_key(|secret| secret.version)?;
            of(&(secret.name, secret.version, secret.created_at))
        }
        _ => api.store.read(|fleet| tag_in(fleet, object, name)),
    }
}

fn tag_in(fleet: &Fleet, object: Object, id: &str) -> Option<String> {
    match object {
        Object::Approval => fleet.approvals.get(&id.parse().ok()?).and_then(of),
        Object::Incident => fleet.incidents.get(&id.parse().ok()?).and_then(of),
        Object::Operation => fleet.operations.get(&id.parse().ok()?).and_then(of),
        Object::Person => fleet.people.get(&id.parse().ok()?).and_then(of),
        // When it is due next is no change of it.
        Object::Schedule => {
            let entry = fleet.schedules.get(&id.parse().ok()?)?;
            of(&(entry.what, &entry.when, &entry.recipient, entry.created_at))
        }
        Object::Rules | Object::Secret => None,
    }
}

fn of<T: Serialize>(record: &T) -> Option<String> {
    Some(quoted(&hex::encode(&Sha256::digest(serde_json::to_vec(record).ok()?)[..12])))
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// Refuses a change of what is not as the caller saw it.
pub fn check(headers: &HeaderMap, current: Option<&str>, rule: &Rule) -> Result<(), Problem> {
    let Some(given) = headers.get(header::IF_MATCH) else {
        return match rule.must_match && current.is_some() {
            false => Ok(()),
            true => Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "must_match",
                "this change must say what it changes",
            )
            .fix("read the object, and send its ETag as If-Match")),
        };
    };
    let given = given.to_str().unwrap_or_default();
    let Some(current) = current else {
        return match rule.object {
            // What was seen is gone; it would be made anew.
            Some(Object::Secret) => {
                Err(changed_since().fix("read what there is, and send none to set it anew"))
            }
            // Nothing of this name is told by the handler.
            _ => Ok(()),
        };
    };
    match covers(given, current) {
        true => Ok(()),
        false => Err(not_as_seen(Some(current))),
    }
}

fn covers(given: &str, current: &str) -> bool {
    given.trim() == "*" || given.split(',').any(|tag| tag.trim() == current)
}

fn changed_since() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "not_as_seen", "it has changed since it was read")
}

pub fn not_as_seen(current: Option<&str>) -> Problem {
    let problem = changed_since().fix("read it again, and send what you still want with its ETag");
    match current {
        Some(current) => problem.at("ETag", current),
        None => problem,
    }
}

/// What the store holds a change to in the moment in which it decides on it: between the look of [`check`] and that
/// moment somebody else may change the same record, by a tool or by itself.
pub fn seen(headers: &HeaderMap, object: Object, named: &[String]) -> Option<Arc<Seen>> {
    let given = headers.get(header::IF_MATCH)?.to_str().ok()?.to_owned();
    let id = named.first()?.clone();
    let key = match object {
        Object::Approval => Key::Approval(id.parse().ok()?),
        Object::Incident => Key::Incident(id.parse().ok()?),
        Object::Operation => Key::Operation(id.parse().ok()?),
        Object::Person => Key::Person(id.parse().ok()?),
        Object::Schedule => Key::Schedule(id.parse().ok()?),
        // Changed by such requests alone, which wait for each other's turn.
        Object::Rules | Object::Secret => return None,
    };
    // What is not there yet, or not any more, is the handler's to tell.
    let holds = move |fleet: &Fleet| tag_in(fleet, object, &id).is_none_or(|tag| covers(&given, &tag));
    Some(Seen::new(key, holds))
}

/// Whether the caller has it already as it is.
pub fn is_known(headers: &HeaderMap, current: &str) -> bool {
    let given = headers.get(header::IF_NONE_MATCH).and_then(|given| given.to_str().ok()).unwrap_or_default();
    given.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == current)
}

pub fn header_of(tag: &str) -> HeaderMap {
    let value = HeaderValue::from_str(tag).ok();
    value.map(|value| (header::ETAG, value)).into_iter().collect()
}
