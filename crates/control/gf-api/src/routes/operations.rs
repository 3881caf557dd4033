//! Reading operations and approvals; changing them goes through `gf-requests`.

use crate::{
    Api, Problem,
    auth::access::Access,
    json::Query,
    matching::Object,
    openapi::{Route, Routes},
    paging::{self, Listing, list_query, newest_first, page},
    problem::{Answer, parse_id},
    view::progress,
};
use axum::{
    Json,
    extract::{Path, State},
};
use gf_model::{
    OperationId,
    approval::{Approval, ApprovalState},
    operation::{LaneRecord, Operation},
};
use gf_tools::OperationReply;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    #[serde(flatten)]
    pub operation: Operation,
    /// Its progress in one sentence.
    pub summary: String,
    pub done: u64,
    pub total: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OperationDetail {
    #[serde(flatten)]
    view: OperationView,
    progress: OperationReply,
    lanes: Vec<LaneRecord>,
}

list_query! {
    struct Operations {
        /// Only operations that are not over.
        running: bool,
    }
}

list_query! {
    struct Approvals {
        /// open (the default), granted, denied, expired, void or all.
        state: String,
    }
}

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get("/v1/operations", Access::Read, "Operations, newest first.")
                .query::<Operations>()
                .reply::<Listing<OperationView>>(),
            operations,
        )
        .add(
            Route::get("/v1/operations/{id}", Access::Read, "One operation, its progress and its lanes.")
                .reply::<OperationDetail>()
                .about(Object::Operation),
            operation,
        )
        .add(
            Route::get(
                "/v1/approvals",
                Access::Read,
                "Approvals, newest first; the open ones unless asked otherwise.",
            )
            .query::<Approvals>()
            .reply::<Listing<Approval>>(),
            approvals,
        )
}

async fn operations(
    State(api): State<Api>,
    Query(asked): Query<Operations>,
) -> Answer<Listing<OperationView>> {
    let running = asked.running.unwrap_or_default();
    let now = api.clock.now();
    paging::answer(&api, |fleet| {
        let all = fleet.operations.values().filter(|op| !running || !op.state.is_over());
        let found = newest_first(all, |op| op.created_at, |op| op.id.clone());
        let show = |operation: &Operation| {
            let line = progress::line(fleet, operation);
            let summary = progress::reply(fleet, operation, now).summary;
            OperationView { operation: operation.clone(), summary, done: line.done, total: line.total }
        };
        page(found, |operation| operation.id.to_string(), show, &asked.page())
    })
}

async fn operation(State(api): State<Api>, Path(id): Path<String>) -> Answer<OperationDetail> {
    let id: OperationId = parse_id("id", &id)?;
    let now = api.clock.now();
    api.store.read(|fleet| {
        let operation = fleet.operations.get(&id).ok_or_else(|| Problem::not_found("operation", &id))?;
        let line = progress::line(fleet, operation);
        let progress = progress::reply(fleet, operation, now);
        Ok(Json(OperationDetail {
            view: OperationView {
                operation: operation.clone(),
                summary: progress.summary.clone(),
                done: line.done,
                total: line.total,
            },
            progress,
            lanes: fleet.lanes_of(&id).cloned().collect(),
        }))
    })
}

async fn approvals(State(api): State<Api>, Query(asked): Query<Approvals>) -> Answer<Listing<Approval>> {
    let wanted = match asked.state.as_deref() {
        None => Some(ApprovalState::Open),
        Some("all") => None,
        Some(given) => Some(state_named(given)?),
    };
    paging::answer(&api, |fleet| {
        let all =
            fleet.approvals.values().filter(|approval| wanted.is_none_or(|state| approval.state == state));
        let found = newest_first(all, |approval| approval.created_at, |approval| approval.code.clone());
        page(found, |approval| approval.code.to_string(), Approval::clone, &asked.page())
    })
}

fn state_named(given: &str) -> Result<ApprovalState, Problem> {
    crate::json::from_value(serde_json::Value::String(given.to_ascii_lowercase())).map_err(|_| {
        Problem::bad_request("unknown_state", format!("{given:?} is not a state of an approval"))
            .at("state", given)
            .fix("use open, granted, denied, expired, void or all")
    })
}
