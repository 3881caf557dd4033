//! Pins and maintenance windows, by an operator's own key.

use super::decide::caller;
use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json::Body,
    openapi::{Route, Routes},
    problem::{Answer, parse_id},
    tools::act::few_words,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use gf_model::{
    person::PersonRole,
    upkeep::{Upkeep, Window},
};
use gf_requests::Keep;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PinOrder {
    /// For whoever wonders why it was left out.
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WindowOrder {
    /// UTC, such as `02:00-04:00` or `sat,sun 01:00-05:00`.
    when: String,
}

const PIN: &str = "/v1/gateways/{account}/pin";
const WINDOW: &str = "/v1/gateways/{account}/window";

pub fn routes(routes: Routes) -> Routes {
    let operator = Access::Person(PersonRole::Operator);
    routes
        .add(
            Route::put(PIN, operator, "Rollouts leave this gateway at what it has.")
                .body::<PinOrder>()
                .reply::<Upkeep>(),
            pin,
        )
        .add(Route::delete(PIN, operator, "Rollouts reach this gateway again.").reply::<Upkeep>(), unpin)
        .add(
            Route::put(WINDOW, operator, "When rollouts and restarts may reach this gateway.")
                .body::<WindowOrder>()
                .reply::<Upkeep>(),
            window,
        )
        .add(Route::delete(WINDOW, operator, "They may at any time again.").reply::<Upkeep>(), at_any_time)
}

async fn keep(api: &Api, who: &Identity, account: &str, keep: Keep) -> Answer<Upkeep> {
    let account = parse_id("account", account)?;
    Ok(Json(api.requests.keep(&caller(who), &account, keep).await?))
}

async fn pin(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(account): Path<String>,
    Body(order): Body<PinOrder>,
) -> Answer<Upkeep> {
    let reason = few_words("reason", &order.reason, "say in a few words why")?;
    keep(&api, &who, &account, Keep::Pinned { reason }).await
}

async fn unpin(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(account): Path<String>,
) -> Answer<Upkeep> {
    keep(&api, &who, &account, Keep::Unpinned).await
}

async fn window(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(account): Path<String>,
    Body(order): Body<WindowOrder>,
) -> Answer<Upkeep> {
    let window: Window = order.when.parse().map_err(|why: gf_model::upkeep::BadWindow| {
        Problem::bad_request("bad_window", why.to_string())
            .at("when", &order.when)
            .fix("write 02:00-04:00, or sat,sun 01:00-05:00, in UTC")
    })?;
    keep(&api, &who, &account, Keep::Within(window)).await
}

async fn at_any_time(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(account): Path<String>,
) -> Answer<Upkeep> {
    keep(&api, &who, &account, Keep::AtAnyTime).await
}
