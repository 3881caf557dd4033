//! The audit trail: rows, and whether they are all there.

use crate::{
    Api, Problem,
    auth::access::Access,
    json::Query,
    openapi::{Route, Routes},
    paging::{LARGEST_LIMIT, checked_limit},
    problem::Answer,
    tools::audit::{moment, trace_named},
    view::{trace::lines, trail::Verified, words},
};
use axum::{
    Json,
    extract::{Path, State},
};
use gf_model::{audit::AuditRow, person::PersonRole};
use gf_store::{AUDIT_LIMIT, AuditQuery};
use gf_tools::TraceReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rows {
    /// How many rows (default 100, at most 500).
    limit: Option<i64>,
    /// The `next` of the page before: rows older than this number.
    after: Option<u64>,
    /// Follow the trail instead: rows newer than this number, oldest first.
    since: Option<u64>,
    /// An account, instance, person or operation that the row is about.
    target: Option<String>,
    /// Person, agent or service.
    actor: Option<String>,
    action: Option<String>,
    /// What this trace id led to.
    trace: Option<String>,
    /// RFC 3339.
    from: Option<String>,
    /// RFC 3339.
    to: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Trail {
    items: Vec<AuditRow>,
    /// What to give as `after` for older rows, or as `since` when following.
    next: Option<u64>,
}

pub fn routes(routes: Routes) -> Routes {
    let person = Access::Person(PersonRole::Viewer);
    routes
        .add(
            Route::get("/v1/audit", person, "Audit rows, newest first.").query::<Rows>().reply::<Trail>(),
            rows,
        )
        .add(
            Route::get("/v1/audit/verify", person, "Walks the whole trail and says what does not fit.")
                .reply::<Verified>(),
            verify,
        )
        .add(
            Route::get(
                "/v1/traces/{trace}",
                person,
                "What one trace id led to: question, audit rows, operations and steps, the oldest first.",
            )
            .reply::<TraceReply>(),
            trace,
        )
}

async fn rows(State(api): State<Api>, Query(asked): Query<Rows>) -> Answer<Trail> {
    let limit = checked_limit(asked.limit, 100, AUDIT_LIMIT)?;
    let query = AuditQuery {
        after: asked.since,
        before: asked.after,
        target: asked.target,
        actor: asked.actor,
        action: asked.action,
        trace: asked.trace.as_deref().map(trace_named).transpose()?,
        from: moment("from", asked.from.as_deref())?,
        to: moment("to", asked.to.as_deref())?,
        limit: Some(limit),
    };
    let items = api.store.audit(query).await.map_err(Problem::internal)?;
    let next = if items.len() == limit { items.last().map(|row| row.seq) } else { None };
    Ok(Json(Trail { items, next }))
}

async fn verify(State(api): State<Api>) -> Answer<Verified> {
    let verification = api.store.verify().await.map_err(Problem::internal)?;
    Ok(Json(Verified::of(verification)))
}

async fn trace(State(api): State<Api>, Path(given): Path<String>) -> Answer<TraceReply> {
    let trace = trace_named(&given)?;
    let query = AuditQuery { trace: Some(trace.clone()), after: Some(0), ..AuditQuery::default() };
    let rows = api.store.audit(query).await.map_err(Problem::internal)?;
    let mut items = api.store.read(|fleet| lines(fleet, &trace, &rows));
    if items.is_empty() {
        return Err(Problem::not_found("trace", &trace)
            .fix("use the trace of an operation, a question or an audit row"));
    }
    let cut = items.len() > LARGEST_LIMIT || rows.len() == AUDIT_LIMIT;
    let found = words::count(items.len() as u64, "thing", "things");
    let failed =
        items.iter().filter(|line| matches!(line.state.as_str(), "failed" | "refused" | "stuck")).count();
    items.truncate(LARGEST_LIMIT);
    let shown = if cut { format!(", of which {} are shown", items.len()) } else { String::new() };
    let summary = format!("Trace {trace} led to {found}{shown}; {failed} of them failed or were refused.");
    Ok(Json(TraceReply { summary, trace, items, cut }))
}
