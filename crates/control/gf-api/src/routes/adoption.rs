//! What is there and the store does not know: shown, and taken in when an admin says so.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json::Body,
    openapi::{Route, Routes},
    problem::Answer,
};
use axum::{Extension, Json, extract::State};
use gf_model::{Timestamp, person::PersonRole};
use gf_node_proto::GoodbyeReason;
use gf_operations::sighting::{Sighted, sight};
use gf_requests::{Caller, adopt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AdoptionView {
    /// Nothing is decided until somebody has agreed.
    open: bool,
    /// Since when.
    since: Option<Timestamp>,
    /// `lost` or `restored`.
    why: Option<String>,
    /// What would become otherwise.
    lines: Vec<String>,
    /// What cannot be known.
    unknown: Vec<String>,
    /// Who agrees names it.
    digest: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Agreed {
    /// As it was shown.
    digest: String,
}

pub fn routes(routes: Routes) -> Routes {
    let admin = Access::Person(PersonRole::Admin);
    routes
        .add(
            Route::get("/v1/adoption", admin, "What is there and the store does not know.")
                .reply::<AdoptionView>(),
            look,
        )
        .add(
            Route::post("/v1/adoption", admin, "Takes in what was shown, and goes on.")
                .body::<Agreed>()
                .reply::<AdoptionView>(),
            agree,
        )
}

async fn seen(api: &Api) -> Sighted {
    let hands = api.requests.engine().hands();
    let unknown = |id: &_, running: &_| api.store.read(|fleet| adopt::owns_unknown(fleet, id, running));
    sight(hands, unknown).await
}

async fn look(State(api): State<Api>) -> Answer<AdoptionView> {
    let closed =
        AdoptionView { open: false, since: None, why: None, lines: vec![], unknown: vec![], digest: None };
    if api.store.read(|fleet| adopt::is_open(fleet).is_none()) {
        return Ok(Json(closed));
    }
    let (seen, now) = (seen(&api).await, api.clock.now());
    Ok(Json(api.store.read(|fleet| {
        let Some((since, why)) = adopt::is_open(fleet) else { return closed };
        let plan = adopt::plan(fleet, &seen, now);
        AdoptionView {
            open: true,
            since: Some(since),
            why: Some(why.to_owned()),
            lines: plan.lines,
            unknown: plan.unknown,
            digest: Some(plan.digest),
        }
    })))
}

async fn agree(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(agreed): Body<Agreed>,
) -> Answer<AdoptionView> {
    let seen = seen(&api).await;
    let caller = Caller {
        principal: who.principal,
        conversation: who.conversation,
        trace: who.trace,
        may_approve: true,
    };
    let adopted = api.requests.adopt(&caller, &seen, &agreed.digest).await.map_err(Problem::from)?;
    // Who was heard and is not part of the fleet is heard no more.
    let hub = &api.requests.engine().hands().hub;
    for node in hub.nodes() {
        if api.store.read(|fleet| !fleet.nodes.contains_key(&node.id)) {
            hub.disconnect(&node.id, GoodbyeReason::UnknownNode);
        }
    }
    let (lines, unknown, digest) = (adopted.lines, adopted.unknown, Some(adopted.digest));
    Ok(Json(AdoptionView { open: false, since: None, why: None, lines, unknown, digest }))
}
