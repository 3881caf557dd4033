//! `gf_operation`: how far a piece of work is; holding, ending or undoing it goes through `gf-requests`.

use super::Call;
use crate::{
    Problem,
    problem::parse_id,
    view::{progress, words},
};
use axum::http::StatusCode;
use gf_model::{
    ApprovalCode, OperationId, Timestamp,
    approval::{Approval, ApprovalState},
    fleet::Fleet,
    verb::Verb,
};
use gf_requests::Act;
use gf_tools::{OperationAction, OperationParams, OperationReply};

pub(super) async fn operation(call: &Call, params: OperationParams) -> Result<OperationReply, Problem> {
    let now = call.api.clock.now();
    let act = match params.action {
        OperationAction::Get => return call.api.store.read(|fleet| get(fleet, &params.id, now)),
        OperationAction::Rollback => return rollback(call, &params.id).await,
        OperationAction::Cancel => Act::Cancel,
        OperationAction::Pause => Act::Pause,
        OperationAction::Resume => Act::Resume,
        OperationAction::Retry => Act::Retry,
    };
    let id = call.api.store.read(|fleet| operation_named(fleet, &params.id))?;
    let operation = call.api.requests.control(&call.caller(), &id, act).await?;
    Ok(call.api.store.read(|fleet| progress::reply(fleet, &operation, now)))
}

/// A push is rolled back by a rollout of its own, which a person agrees to; other work is undone step by step.
async fn rollback(call: &Call, given: &str) -> Result<OperationReply, Problem> {
    let now = call.api.clock.now();
    let verb = call.api.store.read(|fleet| rollback_verb(fleet, given))?;
    let Some(verb) = verb else {
        let id = call.api.store.read(|fleet| operation_named(fleet, given))?;
        let operation = call.api.requests.control(&call.caller(), &id, Act::Rollback).await?;
        return Ok(call.api.store.read(|fleet| progress::reply(fleet, &operation, now)));
    };
    let accounts: Vec<String> = verb.accounts().iter().map(ToString::to_string).collect();
    let done = call.request(verb, false).await?;
    if let Some(operation) = &done.operation {
        return Ok(call.api.store.read(|fleet| progress::reply(fleet, operation, now)));
    }
    let code = done.approval.as_ref().map(|approval| approval.code.clone());
    Ok(OperationReply {
        summary: done.summary,
        id: code.clone().unwrap_or_else(|| given.to_owned()),
        verb: "rollback".to_owned(),
        state: if code.is_some() { "WAITING_FOR_APPROVAL" } else { "PLANNED" }.to_owned(),
        approval_code: code,
        approval: done.approval,
        targets_total: accounts.len() as u64,
        targets_by_state: [("waiting".to_owned(), accounts.len() as u64)].into(),
        account_ids: accounts,
        batches: Some(done.batches.len() as u64),
        ..OperationReply::default()
    })
}

/// The request that undoes a push; `None` for work that is not a push.
pub(super) fn rollback_verb(fleet: &Fleet, given: &str) -> Result<Option<Verb>, Problem> {
    let id = operation_named(fleet, given)?;
    Ok(match fleet.operations.get(&id).map(|operation| &operation.verb) {
        Some(Verb::ConfigPush { accounts, .. }) => {
            Some(Verb::Rollback { rollout: id, accounts: accounts.clone() })
        }
        _ => None,
    })
}

/// An operation by its id, or by the code of the approval that it runs under.
fn operation_named(fleet: &Fleet, given: &str) -> Result<OperationId, Problem> {
    let approval = given.parse::<ApprovalCode>().ok().and_then(|code| fleet.approvals.get(&code));
    if let Some(approval) = approval {
        return approval.operation.clone().ok_or_else(|| {
            Problem::new(
                StatusCode::CONFLICT,
                "not_started",
                format!("{} has not been started", approval.code),
            )
            .at("id", &approval.code)
            .fix("answer the approval; there is nothing to stop yet")
        });
    }
    let id: OperationId = parse_id("id", given)?;
    if fleet.operations.contains_key(&id) { Ok(id) } else { Err(unknown(fleet, &id)) }
}

fn unknown(fleet: &Fleet, id: &OperationId) -> Problem {
    let newest: Vec<_> = newest(fleet);
    let fix = if newest.is_empty() {
        "there is no operation yet".to_owned()
    } else {
        format!("the newest are {}", words::list(&newest, 5))
    };
    Problem::not_found("operation", id).fix(fix)
}

/// An operation by its id or by the code of its approval.
pub fn get(fleet: &Fleet, given: &str, now: Timestamp) -> Result<OperationReply, Problem> {
    if let Ok(code) = given.parse::<ApprovalCode>()
        && let Some(approval) = fleet.approvals.get(&code)
    {
        let operation = approval.operation.as_ref().and_then(|id| fleet.operations.get(id));
        return Ok(match operation {
            Some(operation) => progress::reply(fleet, operation, now),
            None => waiting(approval, now),
        });
    }
    let id: OperationId = parse_id("id", given)?;
    let operation = fleet.operations.get(&id);
    operation.map(|operation| progress::reply(fleet, operation, now)).ok_or_else(|| unknown(fleet, &id))
}

fn newest(fleet: &Fleet) -> Vec<&OperationId> {
    let mut all: Vec<_> = fleet.operations.values().collect();
    all.sort_by_key(|operation| std::cmp::Reverse(operation.created_at));
    all.into_iter().take(5).map(|operation| &operation.id).collect()
}

/// An approval that no operation came out of, or none yet.
fn waiting(approval: &Approval, now: Timestamp) -> OperationReply {
    let lapsed = approval.state == ApprovalState::Open && approval.expires_at <= now;
    let (state, words) = match approval.state {
        ApprovalState::Open if lapsed => ("EXPIRED", "was not answered in time; nothing was done".to_owned()),
        ApprovalState::Open => ("WAITING_FOR_APPROVAL", open_words(approval)),
        ApprovalState::Granted => ("WAITING_FOR_APPROVAL", "was granted and is about to start".to_owned()),
        ApprovalState::Denied => ("DENIED", "was denied; nothing was done".to_owned()),
        ApprovalState::Expired => ("EXPIRED", "was not answered in time; nothing was done".to_owned()),
        ApprovalState::Void => match &approval.superseded_by {
            Some(newer) => ("VOID", format!("was asked anew as {newer}; nothing was done")),
            None => ("VOID", "is void: the plan no longer fits what was asked; nothing was done".to_owned()),
        },
    };
    let plan = &approval.plan;
    let verb = progress::verb(&plan.verb);
    let cost = plan.cost_delta;
    OperationReply {
        summary: format!(
            "{} ({} for {}, {} {}) {words}.",
            approval.code,
            verb.replace('_', " "),
            words::pairs(plan.accounts.len() as u64),
            if cost.0 < 0 { "saving" } else { "adding" },
            words::per_month(gf_model::Cents(cost.0.abs())),
        ),
        id: approval.code.to_string(),
        verb: verb.to_owned(),
        state: state.to_owned(),
        approval_code: Some(approval.code.to_string()),
        targets_total: plan.accounts.len() as u64,
        targets_by_state: [("waiting".to_owned(), plan.accounts.len() as u64)].into(),
        instances_total: plan.instances.len() as u64,
        instances_by_state: [("WAITING".to_owned(), plan.instances.len() as u64)].into(),
        account_ids: plan.accounts.iter().map(ToString::to_string).collect(),
        instance_ids: plan.instances.iter().map(ToString::to_string).collect(),
        ..OperationReply::default()
    }
}

/// Of whom an open question waits for what.
fn open_words(approval: &Approval) -> String {
    if let Some(wish) = &approval.changes {
        return format!(
            "is wanted otherwise by {}: \"{}\"; ask for it again like that, nothing was done",
            wish.by, wish.text
        );
    }
    match approval.agreed.first() {
        Some(first) => {
            format!("was agreed to by {}; another person must agree too, nothing was done", first.person)
        }
        None => "waits for a person's yes, which is \"go\" as the whole message; nothing was done".to_owned(),
    }
}
