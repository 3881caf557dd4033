//! Stopping all automation and letting it go on, by a person's own key.

use super::decide::caller;
use crate::{
    Api,
    auth::{Identity, access::Access},
    json::Body,
    openapi::{Route, Routes},
    problem::Answer,
    view::automation,
};
use axum::{Extension, Json, extract::State};
use gf_model::person::PersonRole;
use gf_tools::AutomationReply;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// For whoever finds it frozen.
    reason: String,
}

pub fn routes(routes: Routes) -> Routes {
    let operator = Access::Person(PersonRole::Operator);
    routes
        .add(
            Route::get(
                "/v1/automation",
                Access::Read,
                "Whether automation is frozen, and what that holds back.",
            )
            .reply::<AutomationReply>(),
            show,
        )
        .add(
            Route::post(
                "/v1/automation/freeze",
                operator,
                "Stops all automation; what runs pauses at its next step.",
            )
            .body::<Order>()
            .reply::<AutomationReply>(),
            freeze,
        )
        .add(
            Route::post(
                "/v1/automation/thaw",
                operator,
                "Lets automation go on, and what the freeze paused.",
            )
            .reply::<AutomationReply>(),
            thaw,
        )
}

async fn show(State(api): State<Api>) -> Answer<AutomationReply> {
    let now = api.clock.now();
    Ok(Json(api.store.read(|fleet| automation::reply(fleet, now))))
}

async fn freeze(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(order): Body<Order>,
) -> Answer<AutomationReply> {
    api.requests.freeze(&caller(&who), &order.reason).await?;
    show(State(api)).await
}

async fn thaw(State(api): State<Api>, Extension(who): Extension<Identity>) -> Answer<AutomationReply> {
    let ended = api.requests.thaw(&caller(&who)).await?;
    Ok(Json(api.store.read(|fleet| automation::thawed(fleet, ended.as_ref()))))
}
