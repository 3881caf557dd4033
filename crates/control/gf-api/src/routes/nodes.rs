//! Nodes that become another release of gf-clawnode: which one, by its version, and in which rings.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    idempotency::Given,
    json::{Body, Query},
    openapi::{Route, Routes},
    problem::{Answer, parse_id},
    tools::{Call, CallOptions},
};
use axum::{Extension, Json, extract::State};
use gf_model::{
    NodeId,
    person::PersonRole,
    release::Release,
    verb::{Pace, Verb},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fs, io};

/// The first rings, where nobody says which.
const FIRST: [u32; 2] = [1, 10];
const RING: u32 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NodesOrder {
    /// A version that lies in the control plane's `releases`.
    to: String,
    /// Without any, all that run something older.
    #[serde(default)]
    nodes: Vec<String>,
    /// Nodes of the first rings; 1 and 10 by default.
    ring_sizes: Option<Vec<u32>>,
    /// Nodes of each ring after those; 100 by default.
    ring_size: Option<u32>,
    /// How long a ring must be well before the next one begins; 10 by default.
    settle_seconds: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NodesReply {
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<gf_tools::Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    /// Nodes of each ring.
    rings: Vec<u64>,
}

pub fn routes(routes: Routes) -> Routes {
    routes.add(
        Route::post(
            "/v1/nodes/update",
            Access::Person(PersonRole::Operator),
            "Has nodes become another release of gf-clawnode, ring by ring.",
        )
        .query::<CallOptions>()
        .body::<NodesOrder>()
        .reply::<NodesReply>(),
        update,
    )
}

async fn update(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Extension(Given(key)): Extension<Given>,
    Query(options): Query<CallOptions>,
    Body(order): Body<NodesOrder>,
) -> Answer<NodesReply> {
    let release = released(&api, &order.to)?;
    let named = order.nodes.iter().map(|id| parse_id("nodes", id)).collect::<Result<Vec<NodeId>, _>>()?;
    let nodes = api.store.read(|fleet| {
        if let Some(unknown) = named.iter().find(|id| !fleet.nodes.contains_key(*id)) {
            return Err(Problem::not_found("node", unknown));
        }
        let older = fleet.nodes.values().filter(|node| {
            node.software.as_ref().is_none_or(|software| *software != release.version)
                && node.enrolled_at.is_some()
        });
        Ok(if named.is_empty() { older.map(|node| node.id.clone()).collect() } else { named })
    })?;
    let pace = Pace {
        settle_seconds: order.settle_seconds.unwrap_or(Pace::SETTLE_SECONDS),
        ..Pace::gated(order.ring_sizes.unwrap_or(FIRST.to_vec()))
    };
    let verb = Verb::UpdateNodes { nodes, release, ring_size: order.ring_size.unwrap_or(RING), pace };
    let call = Call { api, who, options, key };
    let done = call.request(verb, false).await?;
    Ok(Json(NodesReply {
        operation_id: done.operation_id(),
        summary: done.summary,
        approval: done.approval,
        rings: done.batches,
    }))
}

/// What lies there under this version, as it was signed.
fn released(api: &Api, version: &str) -> Result<Release, Problem> {
    let unreadable = |message: String| {
        Problem::bad_request("bad_release", message)
            .at("to", version)
            .fix("sign it and put it there again, see docs/node.md")
    };
    if !Release::is_version(version) {
        return Err(unreadable(format!("{version:?} is no version such as 0.2.0")));
    }
    let Some(releases) = &api.options.releases else { return Err(Problem::not_found("release", version)) };
    let directory = releases.join(version);
    let text = fs::read(directory.join("release.json")).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => Problem::not_found("release", version).fix(format!(
            "put gf-clawnode and its release.json into {}, see docs/node.md",
            directory.display()
        )),
        _ => unreadable(format!("{}: {why}", directory.display())),
    })?;
    let release: Release = serde_json::from_slice(&text).map_err(|why| unreadable(why.to_string()))?;
    let there = fs::metadata(directory.join("gf-clawnode")).map(|there| there.len());
    match there {
        Ok(size) if size == release.size && release.version == version => Ok(release),
        _ => Err(unreadable(format!("{} does not hold what its release.json names", directory.display()))),
    }
}
