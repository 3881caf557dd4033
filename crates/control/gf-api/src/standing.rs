//! What a control plane that follows another one answers: reads, with how far behind they may be, and nothing else.
//!
//! What would change anything is refused with the leader's address and not passed on: a request holds a person's key, and
//! the way to another machine is not encrypted here.

use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use gf_store::{FleetStore, Following, Standing, StoreError};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How many transactions an answer may lack.
const BEHIND: HeaderName = HeaderName::from_static("clawops-behind");
/// Until when the follower is sure to know everything.
const AS_OF: HeaderName = HeaderName::from_static("clawops-as-of");
/// Where the control plane is that decides.
const LEADER: HeaderName = HeaderName::from_static("clawops-leader");

#[derive(Debug, PartialEq, Eq)]
pub enum Serves {
    Everything,
    Reads,
}

/// Whether a request that is no GET may go on here.
pub fn may_serve(
    standing: &Standing,
    follower_serves: bool,
    parts: &Parts,
    body: &[u8],
) -> Result<Serves, Problem> {
    let Standing::Follows(following) = standing else { return Ok(Serves::Everything) };
    let tool = parts.uri.path().strip_prefix("/v1/tools/").and_then(gf_tools::tool);
    let reads = |tool: &gf_tools::ToolSpec| {
        tool.only_reads(&serde_json::from_slice::<Value>(body).unwrap_or_default())
    };
    match follower_serves || tool.is_some_and(reads) {
        true => Ok(Serves::Reads),
        false => Err(not_leading(following)),
    }
}

/// As the program that asked is sent on by it, the leader's address is the value.
pub fn not_leading(following: &Following) -> Problem {
    let Following { leader, halted, .. } = following;
    if let Some(why) = halted {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_went_back", why.to_string())
            .fix("see docs/controllers.md, \"What a failover loses\"");
    }
    let problem = Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "not_leading",
        "this control plane follows another one, which decides; nothing was changed",
    );
    match leader.api.as_str() {
        "" => problem.fix("ask again in a few seconds: a control plane is about to lead"),
        api => problem.at("leader", api).fix(format!("ask {api}")),
    }
}

fn lost(why: &StoreError) -> Option<Lost> {
    match why {
        StoreError::WentBack { stored, known, .. } => Some(Lost { stored: *stored, known: *known }),
        _ => None,
    }
}

/// What every answer of a follower says of itself.
pub fn headers(store: &FleetStore) -> HeaderMap {
    let Standing::Follows(following) = store.standing() else { return HeaderMap::new() };
    let behind = following.newest.saturating_sub(store.position().number).to_string();
    let heard = following.heard.map(|at| at.to_string()).unwrap_or_else(|| "unknown".to_owned());
    [(BEHIND, behind), (AS_OF, heard), (LEADER, following.leader.api)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?)))
        .collect()
}

/// What a control plane is among those that share a fleet.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// `leader`, `follower`, or `halted`: a follower that takes over only when a person has accepted a loss.
    role: &'static str,
    /// Where the one that leads is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// How many transactions this one lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<u64>,
    /// When it last knew everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<gf_model::Timestamp>,
    /// Why it is halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
    /// What the database has lost, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Lost {
    /// The newest transaction that the database still has.
    stored: u64,
    /// The newest that is known here.
    known: u64,
}

pub fn told(store: &FleetStore) -> Told {
    match store.standing() {
        Standing::Leads => {
            Told { role: "leader", leader: None, behind: None, as_of: None, halted: None, lost: None }
        }
        Standing::Follows(following) => Told {
            role: if following.halted.is_some() { "halted" } else { "follower" },
            leader: Some(following.leader.api).filter(|api| !api.is_empty()),
            behind: Some(following.newest.saturating_sub(store.position().number)),
            as_of: following.heard,
            lost: following.halted.as_deref().and_then(lost),
            halted: following.halted.map(|why| why.to_string()),
        },
    }
}
