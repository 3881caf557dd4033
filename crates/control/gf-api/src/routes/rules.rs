//! The rules: what is in force, what others would change, and an admin's word that puts them in force.

use super::decide::caller;
use crate::{
    Api,
    auth::{Identity, access::Access},
    json::Body,
    matching::Object,
    openapi::{Route, Routes},
    problem::Answer,
    view::words,
};
use axum::{Extension, Json, extract::State};
use gf_model::{
    Timestamp,
    person::{PersonRole, Principal},
    rules::digest,
};
use gf_policy_cedar::{CaseResult, Change, Files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InForce {
    summary: String,
    digest: String,
    /// Text by file name.
    files: Files,
    /// Missing while the rules are those that the fleet started with.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_by: Option<Principal>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Proposed {
    files: Files,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Try {
    /// The rules to try; those in force where they are left out.
    #[serde(default)]
    files: Option<Files>,
    /// A table of cases in TOML; the shipped one where it is left out.
    #[serde(default)]
    cases: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Apply {
    files: Files,
    /// Of these rules, as the plan showed it.
    digest: String,
    /// Of the rules that were in force when the plan was shown.
    replaces: String,
}

#[derive(Serialize, JsonSchema)]
struct Planned {
    summary: String,
    #[serde(flatten)]
    change: Change,
}

#[derive(Serialize, JsonSchema)]
struct Tried {
    summary: String,
    ok: bool,
    failed: usize,
    results: Vec<CaseResult>,
}

pub fn routes(routes: Routes) -> Routes {
    let viewer = Access::Person(PersonRole::Viewer);
    routes
        .add(
            Route::get("/v1/policy/rules", viewer, "The rules in force, as text.")
                .reply::<InForce>()
                .about(Object::Rules),
            rules,
        )
        .add(
            Route::post("/v1/policy/test", viewer, "Tries rules on a table of cases; changes nothing.")
                .follower_serves()
                .body::<Try>()
                .reply::<Tried>(),
            test,
        )
        .add(
            Route::post("/v1/policy/plan", viewer, "What other rules would change; changes nothing.")
                .follower_serves()
                .body::<Proposed>()
                .reply::<Planned>(),
            plan,
        )
        .add(
            Route::post(
                "/v1/policy/apply",
                Access::Person(PersonRole::Admin),
                "Puts exactly the rules in force that a plan showed.",
            )
            .body::<Apply>()
            .reply::<Planned>()
            .about(Object::Rules),
            apply,
        )
}

async fn rules(State(api): State<Api>) -> Answer<InForce> {
    let (files, changed) = api.requests.rules();
    let digest = digest(&files);
    let summary = match &changed {
        Some(set) => format!(
            "Rules {digest}, put in force by {} at {}.",
            set.applied_by,
            words::moment(set.applied_at)
        ),
        None => format!("Rules {digest}, which this fleet started with."),
    };
    let (applied_at, applied_by) = changed.map(|set| (set.applied_at, set.applied_by)).unzip();
    Ok(Json(InForce { summary, digest, files, applied_at, applied_by }))
}

async fn test(State(api): State<Api>, Body(asked): Body<Try>) -> Answer<Tried> {
    let results = api.requests.try_rules(asked.files.as_ref(), asked.cases.as_deref())?;
    let failed = results.iter().filter(|result| !result.ok).count();
    let cases = words::count(results.len() as u64, "case", "cases");
    let summary = match failed {
        0 => format!("{cases}, all decided as expected."),
        _ => format!("{cases}, {failed} decided otherwise than expected."),
    };
    Ok(Json(Tried { summary, ok: failed == 0, failed, results }))
}

async fn plan(State(api): State<Api>, Body(proposed): Body<Proposed>) -> Answer<Planned> {
    let change = api.requests.plan_rules(&proposed.files)?;
    Ok(Json(Planned { summary: format!("It would change {}.", told(&change)), change }))
}

async fn apply(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(asked): Body<Apply>,
) -> Answer<Planned> {
    let Apply { files, digest, replaces } = asked;
    let change = api.requests.apply_rules(&caller(&who), files, &digest, &replaces).await?;
    let summary = format!("Rules {} are in force: {}.", change.digest, told(&change));
    Ok(Json(Planned { summary, change }))
}

fn told(change: &Change) -> String {
    if change.is_empty() {
        return "no rule".to_owned();
    }
    let (added, removed, changed) = (change.added.len(), change.removed.len(), change.changed.len());
    format!("{added} added, {removed} removed, {changed} changed")
}
