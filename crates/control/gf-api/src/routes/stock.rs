//! What the fleet consists of besides pairs: nodes, providers, revisions, snapshots, archives, incidents.

use crate::{
    Api, Problem,
    auth::access::Access,
    json::{Body, Query},
    openapi::{Route, Routes},
    paging::{Listing, Page, page},
    problem::{Answer, parse_id},
    view::status,
};
use axum::{
    Json,
    extract::{Path, State},
};
use gf_model::{
    NodeId, RevisionId, Timestamp,
    fleet::Fleet,
    incident::Incident,
    node::Node,
    person::PersonRole,
    provider::{Provider, Region},
    revision::Revision,
    snapshot::{Archive, Snapshot},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A node without its enrolment token's hash.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NodeView {
    id: String,
    provider: String,
    region: String,
    enrolled_at: Option<Timestamp>,
    /// A token waits to be used.
    enrolling: bool,
    connected: bool,
    last_change: Timestamp,
    software: Option<String>,
    instances: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewNode {
    /// Such as node-local-a.
    id: String,
    provider: String,
    region: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Expected {
    id: String,
    /// Lets one node enrol, once. Shown once; an earlier token that was not used is void.
    token: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfAccount {
    /// How many items (default 100, at most 1000).
    limit: Option<i64>,
    /// The `next` of the page before.
    after: Option<String>,
    account: Option<String>,
}

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get("/v1/nodes", Access::Read, "Nodes.").query::<Page>().reply::<Listing<NodeView>>(),
            nodes,
        )
        .add(
            Route::post(
                "/v1/nodes",
                Access::Person(PersonRole::Admin),
                "Expects a node and shows its enrolment token once.",
            )
            .body::<NewNode>()
            .reply::<Expected>()
            .shown_once(),
            expect_node,
        )
        .add(
            Route::get("/v1/providers", Access::Read, "Providers: regions, prices, pool, score.")
                .query::<Page>()
                .reply::<Listing<Provider>>(),
            providers,
        )
        .add(
            Route::get("/v1/revisions", Access::Read, "Revisions of configuration, newest first.")
                .query::<Page>()
                .reply::<Listing<Revision>>(),
            revisions,
        )
        .add(
            Route::get("/v1/revisions/{id}", Access::Read, "One revision and its patch.").reply::<Revision>(),
            revision,
        )
        .add(
            Route::get("/v1/snapshots", Access::Read, "Snapshots, newest first.")
                .query::<OfAccount>()
                .reply::<Listing<Snapshot>>(),
            snapshots,
        )
        .add(
            Route::get("/v1/archives", Access::Read, "Archives, newest first.")
                .query::<OfAccount>()
                .reply::<Listing<Archive>>(),
            archives,
        )
        .add(
            Route::get("/v1/incidents", Access::Read, "Incidents, newest first.")
                .query::<Page>()
                .reply::<Listing<Incident>>(),
            incidents,
        )
}

async fn nodes(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<NodeView>> {
    let listed = api.store.read(|fleet| {
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        fleet
            .live_instances()
            .filter_map(|i| i.node.as_ref())
            .for_each(|node| *counts.entry(node).or_default() += 1);
        let show = |node: &Node| NodeView {
            id: node.id.to_string(),
            provider: node.provider.to_string(),
            region: node.region.to_string(),
            enrolled_at: node.enrolled_at,
            enrolling: node.enrol_token_sha256.is_some(),
            connected: node.connected,
            last_change: node.last_change,
            software: node.software.clone(),
            instances: counts.get(&node.id).copied().unwrap_or_default(),
        };
        page(fleet.nodes.values(), |node| node.id.to_string(), show, &asked)
    });
    listed.map(Json)
}

async fn expect_node(State(api): State<Api>, Body(new): Body<NewNode>) -> Answer<Expected> {
    let id: NodeId = parse_id("id", &new.id)?;
    let provider = api.store.read(|fleet| status::provider_named(fleet, &new.provider))?;
    let region = Region::from(new.region.trim());
    let token = api.enrolment.token(&id, &provider, &region).await.map_err(Problem::internal)?;
    Ok(Json(Expected { id: id.to_string(), token }))
}

async fn providers(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Provider>> {
    let listed =
        api.store.read(|fleet| page(fleet.providers.values(), |p| p.id.to_string(), Provider::clone, &asked));
    listed.map(Json)
}

async fn revisions(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Revision>> {
    let listed = api
        .store
        .read(|fleet| page(fleet.revisions.values().rev(), |r| r.id.to_string(), Revision::clone, &asked));
    listed.map(Json)
}

async fn revision(State(api): State<Api>, Path(id): Path<String>) -> Answer<Revision> {
    let id: RevisionId = parse_id("id", &id)?;
    let found = api.store.read(|fleet| fleet.revisions.get(&id).cloned());
    found.map(Json).ok_or_else(|| Problem::not_found("revision", id))
}

/// The newest first, of one account or of all.
fn of_account<'a, T>(
    fleet: &'a Fleet,
    asked: &OfAccount,
    all: impl Iterator<Item = &'a T>,
    account: impl Fn(&T) -> &gf_model::AccountId,
    at: impl Fn(&T) -> Timestamp,
) -> Result<Vec<&'a T>, Problem> {
    let wanted = asked
        .account
        .as_deref()
        .map(|given| parse_id::<gf_model::AccountId>("account", given))
        .transpose()?;
    if let Some(id) = wanted.as_ref().filter(|id| !fleet.gateways.contains_key(id)) {
        return Err(Problem::not_found("account", id));
    }
    let mut found: Vec<&T> =
        all.filter(|item| wanted.as_ref().is_none_or(|id| account(item) == id)).collect();
    found.sort_by_key(|item| std::cmp::Reverse(at(item)));
    Ok(found)
}

async fn snapshots(State(api): State<Api>, Query(asked): Query<OfAccount>) -> Answer<Listing<Snapshot>> {
    let listed = api.store.read(|fleet| {
        let found = of_account(fleet, &asked, fleet.snapshots.values(), |s| &s.account, |s| s.taken_at)?;
        let slice = Page { limit: asked.limit, after: asked.after.clone() };
        page(found.into_iter(), |s| s.id.to_string(), Snapshot::clone, &slice)
    });
    listed.map(Json)
}

async fn archives(State(api): State<Api>, Query(asked): Query<OfAccount>) -> Answer<Listing<Archive>> {
    let listed = api.store.read(|fleet| {
        let found = of_account(fleet, &asked, fleet.archives.values(), |a| &a.account, |a| a.taken_at)?;
        let slice = Page { limit: asked.limit, after: asked.after.clone() };
        page(found.into_iter(), |a| a.id.to_string(), Archive::clone, &slice)
    });
    listed.map(Json)
}

async fn incidents(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Incident>> {
    let listed = api.store.read(|fleet| {
        let mut found: Vec<_> = fleet.incidents.values().collect();
        found.sort_by_key(|incident| std::cmp::Reverse(incident.opened_at));
        page(found.into_iter(), |i| i.id.to_string(), Incident::clone, &asked)
    });
    listed.map(Json)
}
