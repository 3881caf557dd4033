//! Reading the fleet: status, gateways, instances.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json::Query,
    openapi::{Route, Routes},
    paging::{self, Listing, list_query, page},
    problem::{Answer, parse_id},
    tools::{instance, pair},
    view::{
        condition::{Condition, Pair},
        line, status,
    },
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use gf_model::{fleet::Fleet, gateway::Gateway, instance::Instance};
use gf_tools::{FleetStatusParams, FleetStatusReply, InstanceHealthReply, InstanceLine, PairStatusReply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A gateway with what its instances say.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GatewayView {
    #[serde(flatten)]
    gateway: Gateway,
    /// protected, unprotected, building, down, parked, tearing_down or archived.
    condition: &'static str,
    monthly_cost_cents: i64,
    primary_instance: Option<InstanceLine>,
    standby_instance: Option<InstanceLine>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GatewayDetail {
    #[serde(flatten)]
    view: GatewayView,
    status: PairStatusReply,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstanceDetail {
    #[serde(flatten)]
    instance: Instance,
    status: InstanceHealthReply,
}

list_query! {
    struct Gateways {
        /// Only gateways in this condition.
        condition: String,
        /// Also accounts that have an archive and nothing else.
        archived: bool,
    }
}

list_query! {
    struct Instances {
        /// Only instances in this state, such as ACTIVE.
        state: String,
        provider: String,
        account: String,
        /// Also instances that were deleted.
        deleted: bool,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Live {
    /// True asks its node now.
    live: Option<bool>,
}

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get(
                "/v1/fleet/status",
                Access::Read,
                "The whole fleet, or a part of it, in numbers that add up.",
            )
            .query::<FleetStatusParams>()
            .reply::<FleetStatusReply>(),
            fleet_status,
        )
        .add(
            Route::get("/v1/gateways", Access::Read, "Gateways by account.")
                .query::<Gateways>()
                .reply::<Listing<GatewayView>>(),
            gateways,
        )
        .add(
            Route::get("/v1/gateways/{account}", Access::Read, "One account's gateway.")
                .reply::<GatewayDetail>(),
            gateway,
        )
        .add(
            Route::get("/v1/instances", Access::Read, "Instances by id.")
                .query::<Instances>()
                .reply::<Listing<Instance>>(),
            instances,
        )
        .add(
            Route::get("/v1/instances/{id}", Access::Read, "One instance and its health.")
                .query::<Live>()
                .reply::<InstanceDetail>(),
            instance_by_id,
        )
}

async fn fleet_status(
    State(api): State<Api>,
    Query(params): Query<FleetStatusParams>,
) -> Answer<FleetStatusReply> {
    let now = api.clock.now();
    api.counted(|fleet, tally| status::fleet_status(fleet, tally, &params, now)).map(Json)
}

fn view(fleet: &Fleet, gateway: &Gateway) -> GatewayView {
    let pair = Pair::of(fleet, gateway);
    GatewayView {
        gateway: gateway.clone(),
        condition: pair.map_or("archived", |pair| pair.condition.name()),
        monthly_cost_cents: pair.as_ref().map(|pair| line::cost(pair).0).unwrap_or_default(),
        primary_instance: pair.and_then(|pair| pair.primary).map(line::instance),
        standby_instance: pair.and_then(|pair| pair.standby).map(line::instance),
    }
}

async fn gateways(State(api): State<Api>, Query(asked): Query<Gateways>) -> Answer<Listing<GatewayView>> {
    let archived = asked.archived.unwrap_or_default();
    let wanted = asked.condition.as_deref().map(condition_named).transpose()?;
    paging::answer(&api, |fleet| {
        let fits = |gateway: &&Gateway| match Pair::of(fleet, gateway) {
            Some(pair) => wanted.is_none_or(|wanted| pair.condition == wanted),
            None => archived && wanted.is_none(),
        };
        let found = fleet.gateways.values().filter(fits);
        page(found, |gateway| gateway.account.to_string(), |gateway| view(fleet, gateway), &asked.page())
    })
}

fn condition_named(given: &str) -> Result<Condition, Problem> {
    let name = given.to_ascii_lowercase();
    Condition::ALL.into_iter().find(|condition| condition.name() == name).ok_or_else(|| {
        Problem::bad_request("unknown_condition", format!("{given:?} is not a condition of a gateway"))
            .at("condition", given)
            .fix("use protected, unprotected, building, down, parked or tearing_down")
    })
}

async fn gateway(State(api): State<Api>, Path(account): Path<String>) -> Answer<GatewayDetail> {
    let id = parse_id("account", &account)?;
    let now = api.clock.now();
    api.store.read(|fleet| {
        let gateway = pair::gateway_of(fleet, &id)?;
        Ok(Json(GatewayDetail { view: view(fleet, gateway), status: pair::reply(fleet, gateway, now) }))
    })
}

async fn instances(State(api): State<Api>, Query(asked): Query<Instances>) -> Answer<Listing<Instance>> {
    let state = asked.state.as_deref().map(status::state_named).transpose()?;
    let account = asked.account.as_deref().map(|given| parse_id("account", given)).transpose()?;
    let deleted = asked.deleted.unwrap_or_default();
    paging::answer(&api, |fleet| {
        let provider =
            asked.provider.as_deref().map(|given| status::provider_named(fleet, given)).transpose()?;
        let found = fleet.instances.values().filter(|instance| {
            (deleted || instance.state.exists())
                && state.is_none_or(|state| instance.state == state)
                && provider.as_ref().is_none_or(|provider| instance.provider == *provider)
                && account.as_ref().is_none_or(|account| instance.account == *account)
        });
        page(found, |instance| instance.id.to_string(), Instance::clone, &asked.page())
    })
}

async fn instance_by_id(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Query(asked): Query<Live>,
) -> Answer<InstanceDetail> {
    let id = parse_id("id", &id)?;
    let (instance, status) = instance::look(&api, &id, asked.live.unwrap_or_default(), &who.trace).await?;
    Ok(Json(InstanceDetail { instance, status }))
}
