//! Incidents and scheduled reports one by one, by people: read with a tag, and changed as they were seen.

use super::decide::caller;
use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json::{Body, Query},
    matching::Object,
    openapi::{Route, Routes},
    paging::{self, Listing, Page, page},
    problem::{Answer, parse_id},
    tools::{Call, CallOptions, incident},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use gf_model::{IncidentId, ScheduleId, incident::Incident, person::PersonRole, schedule::Schedule};
use gf_requests::Which;
use gf_tools::IncidentReportParams;
use schemars::JsonSchema;
use serde::Deserialize;

/// What may be changed of an incident; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IncidentChange {
    /// critical, high, warning or info.
    severity: Option<String>,
    /// open or resolved.
    status: Option<String>,
    /// A line for its timeline.
    entry: Option<String>,
    root_cause: Option<String>,
    /// Things to do about it, added to those that it has.
    actions: Option<Vec<String>>,
}

const INCIDENT: &str = "/v1/incidents/{id}";
const SCHEDULE: &str = "/v1/schedules/{id}";

pub fn routes(routes: Routes) -> Routes {
    let operator = Access::Person(PersonRole::Operator);
    routes
        .add(
            Route::get(INCIDENT, Access::Read, "One incident.").reply::<Incident>().about(Object::Incident),
            incident_by_id,
        )
        .add(
            Route::patch(INCIDENT, operator, "Writes into an incident; it changes nothing else.")
                .body::<IncidentChange>()
                .reply::<Incident>()
                .about(Object::Incident),
            change_incident,
        )
        .add(
            Route::get("/v1/schedules", Access::Read, "Reports that come by themselves.")
                .query::<Page>()
                .reply::<Listing<Schedule>>(),
            schedules,
        )
        .add(
            Route::get(SCHEDULE, Access::Read, "One scheduled report.")
                .reply::<Schedule>()
                .about(Object::Schedule),
            schedule_by_id,
        )
        .add(
            Route::delete(SCHEDULE, operator, "A report that comes no more.")
                .reply::<Schedule>()
                .about(Object::Schedule),
            unschedule,
        )
}

fn found_incident(api: &Api, given: &str) -> Answer<Incident> {
    let id: IncidentId = parse_id("id", given)?;
    let found = api.store.read(|fleet| fleet.incidents.get(&id).cloned());
    found.map(Json).ok_or_else(|| Problem::not_found("incident", id))
}

async fn incident_by_id(State(api): State<Api>, Path(id): Path<String>) -> Answer<Incident> {
    found_incident(&api, &id)
}

async fn change_incident(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Body(change): Body<IncidentChange>,
) -> Answer<Incident> {
    let Json(known) = found_incident(&api, &id)?;
    let params = IncidentReportParams {
        action: "update".into(),
        id: Some(known.id.to_string()),
        severity: change.severity,
        status: change.status,
        entry: change.entry,
        root_cause: change.root_cause,
        actions: change.actions,
        ..IncidentReportParams::default()
    };
    let call = Call { api: api.clone(), who, options: CallOptions::default(), key: None };
    incident::report(&call, params).await?;
    found_incident(&api, &id)
}

async fn schedules(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<Schedule>> {
    paging::answer(&api, |fleet| {
        page(fleet.schedules.values(), |entry| entry.id.to_string(), Schedule::clone, &asked)
    })
}

async fn schedule_by_id(State(api): State<Api>, Path(id): Path<String>) -> Answer<Schedule> {
    let id: ScheduleId = parse_id("id", &id)?;
    let found = api.store.read(|fleet| fleet.schedules.get(&id).cloned());
    found.map(Json).ok_or_else(|| Problem::not_found("schedule", id))
}

async fn unschedule(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Answer<Schedule> {
    let which = Which::Id(parse_id("id", &id)?);
    Ok(Json(api.requests.unschedule(&caller(&who), &which).await?))
}
