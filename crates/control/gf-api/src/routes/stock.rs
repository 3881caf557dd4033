//! What the fleet consists of besides pairs: nodes, providers, revisions, snapshots, archives, incidents.

use crate::{
    Api, Problem,
    auth::access::Access,
    json::{Body, Query},
    openapi::{Route, Routes},
    paging::{self, Listing, Page, list_query, newest_first, page},
    problem::{Answer, parse_id},
    view::status,
};
use axum::{
    Json,
    extract::{Path, State},
};
use gf_model::{
    AccountId, NodeId, RevisionId, Timestamp,
    fleet::Fleet,
    incident::Incident,
    node::Node,
    person::PersonRole,
    provider::Provider,
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

list_query! {
    struct OfAccount {
        account: String,
    }
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
    paging::answer(&api, |fleet| {
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
    })
}

async fn expect_node(State(api): State<Api>, Body(new): Body<NewNode>) -> Answer<Expected> {
    let id: NodeId = parse_id("id", &new.id)?;
    let (provider, region) = api.store.read(|fleet| {
        let provider = status::provider_named(fleet, &new.provider)?;
        let region = status::region_of(fleet, &provider, &new.region)?;
        Ok::<_, Problem>((provider, region))
    })?;
    let token = api.enrolment.token(&id, &provider, &region).await.map_err(Problem::internal)?;
    Ok(Json(Expected { id: id.to_string(), token }))
}

async fn providers(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Provider>> {
    paging::answer(&api, |fleet| {
        page(fleet.providers.values(), |p| p.id.to_string(), Provider::clone, &asked)
    })
}

async fn revisions(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Revision>> {
    paging::answer(&api, |fleet| {
        page(fleet.revisions.values().rev(), |r| r.id.to_string(), Revision::clone, &asked)
    })
}

async fn revision(State(api): State<Api>, Path(id): Path<String>) -> Answer<Revision> {
    let id: RevisionId = parse_id("id", &id)?;
    let found = api.store.read(|fleet| fleet.revisions.get(&id).cloned());
    found.map(Json).ok_or_else(|| Problem::not_found("revision", id))
}

/// Whose copies are asked for, if of one account only.
fn account_of(fleet: &Fleet, asked: &OfAccount) -> Result<Option<AccountId>, Problem> {
    let wanted: Option<AccountId> =
        asked.account.as_deref().map(|given| parse_id("account", given)).transpose()?;
    match wanted {
        Some(id) if !fleet.gateways.contains_key(&id) => Err(Problem::not_found("account", id)),
        wanted => Ok(wanted),
    }
}

async fn snapshots(State(api): State<Api>, Query(asked): Query<OfAccount>) -> Answer<Listing<Snapshot>> {
    paging::answer(&api, |fleet| {
        let account = account_of(fleet, &asked)?;
        let all = fleet.snapshots.values().filter(|s| account.as_ref().is_none_or(|id| s.account == *id));
        let found = newest_first(all, |s| s.taken_at, |s| s.id.clone());
        page(found, |s| s.id.to_string(), Snapshot::clone, &asked.page())
    })
}

async fn archives(State(api): State<Api>, Query(asked): Query<OfAccount>) -> Answer<Listing<Archive>> {
    paging::answer(&api, |fleet| {
        let account = account_of(fleet, &asked)?;
        let all = fleet.archives.values().filter(|a| account.as_ref().is_none_or(|id| a.account == *id));
        let found = newest_first(all, |a| a.taken_at, |a| a.id.clone());
        page(found, |a| a.id.to_string(), Archive::clone, &asked.page())
    })
}

async fn incidents(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Incident>> {
    paging::answer(&api, |fleet| {
        let found = newest_first(fleet.incidents.values(), |i| i.opened_at, |i| i.id.clone());
        page(found, |i| i.id.to_string(), Incident::clone, &asked)
    })
}
