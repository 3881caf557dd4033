//! Answers to questions by a person's own key: yes, also a signed one, no, or what they want otherwise.

use super::decide::caller;
use crate::{
    Api,
    auth::{Identity, access::Access},
    json::Body,
    matching::Object,
    openapi::{Route, Routes},
    problem::{Answer, Problem, parse_id},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use gf_model::{ApprovalCode, OperationId, approval::Approval, operation::Operation, person::PersonRole};
use gf_requests::Given;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question as it stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ApprovalView {
    #[serde(flatten)]
    approval: Approval,
    /// The text that a signed yes is a signature of.
    statement: String,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Grant {
    /// Where the question asks for it, and wherever a person wants to.
    signature: Option<SignatureGiven>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignatureGiven {
    /// The id of the person's signing key.
    key: String,
    /// Ed25519 over the question's `statement`, base64.
    signature: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Granted {
    summary: String,
    /// None while another person must agree too.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<OperationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    approval: Option<Approval>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Answered {
    summary: String,
    approval: Approval,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    /// What is wanted otherwise, in 1 to 500 characters.
    text: String,
}

pub fn routes(routes: Routes) -> Routes {
    let approver = Access::Person(PersonRole::Approver);
    routes
        .add(
            Route::get(
                "/v1/approvals/{code}",
                Access::Read,
                "One approval: its question, plan, envelope, and what a signed yes signs.",
            )
            .reply::<ApprovalView>()
            .about(Object::Approval),
            show,
        )
        .add(
            Route::post(
                "/v1/approvals/{code}/grant",
                approver,
                "Says yes, with the person's own key, signed where the question asks for it.",
            )
            .body::<Grant>()
            .reply::<Granted>()
            .about(Object::Approval),
            grant,
        )
        .add(
            Route::post("/v1/approvals/{code}/deny", approver, "Says no, with the person's own key.")
                .reply::<Answered>()
                .about(Object::Approval),
            deny,
        )
        .add(
            Route::post(
                "/v1/approvals/{code}/changes",
                approver,
                "Says what the person wants otherwise; the question stays open and is granted by nobody as it is.",
            )
            .body::<Wish>()
            .reply::<Answered>()
            .about(Object::Approval),
            changes,
        )
}

async fn show(State(api): State<Api>, Path(code): Path<String>) -> Answer<ApprovalView> {
    let code: ApprovalCode = parse_id("code", &code)?;
    let found = api.store.read(|fleet| fleet.approvals.get(&code).cloned());
    let approval = found.ok_or_else(|| Problem::not_found("approval", code))?;
    Ok(Json(ApprovalView { statement: approval.statement(), approval }))
}

async fn grant(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(code): Path<String>,
    Body(grant): Body<Grant>,
) -> Answer<Granted> {
    let code: ApprovalCode = parse_id("code", &code)?;
    let yes = match grant.signature {
        None => api.requests.grant(&caller(&who), &code).await?,
        Some(SignatureGiven { key, signature }) => {
            api.requests.grant_signed(&caller(&who), &code, &Given { key, signature }).await?
        }
    };
    let approval = api.store.read(|fleet| fleet.approvals.get(&code).cloned());
    let operation = yes.started();
    let summary = match &operation {
        Some(operation) => {
            let dropped = approval.as_ref().map(|approval| approval.dropped.as_slice()).unwrap_or_default();
            let left_out = if dropped.is_empty() {
                String::new()
            } else {
                format!(" Not there any more, and left out: {}.", dropped.join(", "))
            };
            format!("{code} was granted; {} has started.{left_out}", operation.id)
        }
        None => {
            format!("Your yes to {code} counts; another person must agree too, and nothing was done yet.")
        }
    };
    let operation_id = operation.as_ref().map(|operation| operation.id.clone());
    Ok(Json(Granted { summary, operation_id, operation, approval }))
}

async fn deny(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(code): Path<String>,
) -> Answer<Answered> {
    let code: ApprovalCode = parse_id("code", &code)?;
    let approval = api.requests.deny(&caller(&who), &code).await?;
    Ok(Json(Answered { summary: format!("{code} was denied; nothing was done."), approval }))
}

async fn changes(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(code): Path<String>,
    Body(wish): Body<Wish>,
) -> Answer<Answered> {
    let code: ApprovalCode = parse_id("code", &code)?;
    let approval = api.requests.ask_changes(&caller(&who), &code, &wish.text).await?;
    let summary = format!("Changes to {code} are asked for; nothing was done, and the asker is told.");
    Ok(Json(Answered { summary, approval }))
}
