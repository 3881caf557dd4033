//! `POST /v1/tools/{name}`: one small file per family of tools, from the words of `gf-tools` to reads of the fleet or
//! requests for a change.
//!
//! A tool that reads answers at once. A tool that acts asks `gf-requests`, which alone decides what happens.

pub(crate) mod act;
pub(crate) mod audit;
mod change;
mod config;
mod cost;
mod failover;
pub(crate) mod incident;
pub(crate) mod instance;
pub(crate) mod instance_now;
mod operation;
pub(crate) mod pair;
pub(crate) mod provider;
mod provision;
mod schedule;
mod teardown;
pub(crate) mod verb;

use crate::{Api, Problem, auth::Identity, json, view};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use bytes::Bytes;
use gf_model::person::PersonRole;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tracing::Instrument;

/// For people only: an agent can neither confirm nor say where it is being talked to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallOptions {
    /// The person has seen what will happen and confirms in the same act.
    #[serde(default)]
    pub confirm: bool,
    /// Plans and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Where the end of the work is told, such as `cli:person-ada`.
    pub conversation: Option<String>,
}

/// One call, checked: this caller may use this tool.
pub(crate) struct Call {
    pub api: Api,
    pub who: Identity,
    pub options: CallOptions,
    pub key: Option<String>,
}

pub async fn call(
    State(api): State<Api>,
    Path(name): Path<String>,
    Extension(who): Extension<Identity>,
    Extension(crate::idempotency::Given(key)): Extension<crate::idempotency::Given>,
    json::Query(options): json::Query<CallOptions>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let arguments: Value = json::parse(&body)?;
    permit(&who, &name, &arguments, &options)?;
    let call = Call { api, who, options, key };
    let is_agent = call.who.agent().is_some();
    let told = |problem: Problem| if is_agent { problem.for_agent() } else { problem };
    let span = tracing::info_span!("tool", tool = name);
    run(call, &name, arguments).instrument(span).await.map(Json).map_err(told)
}

/// The row of the tool's table, and a person's role. What an act may touch is decided by policy later.
fn permit(who: &Identity, name: &str, arguments: &Value, options: &CallOptions) -> Result<(), Problem> {
    let Some(tool) = gf_tools::tool(name) else {
        let known: Vec<_> = gf_tools::TOOLS.iter().map(|tool| tool.name).collect();
        return Err(Problem::not_found("tool", name).fix(format!("use {}", view::words::list(&known, 18))));
    };
    let forbidden =
        |message: String| Problem::new(StatusCode::FORBIDDEN, "forbidden", message).at("tool", name);
    match (who.agent(), who.role) {
        (Some(_), _) if options.confirm || options.dry_run || options.conversation.is_some() => {
            Err(forbidden("confirm, dryRun and conversation are for people".into())
                .fix("leave the query out"))
        }
        (Some(agent), _) if !tool.used_by.contains(&agent) => {
            Err(forbidden(format!("{agent} does not have {name}")).fix("ask commander"))
        }
        (Some(agent), _) if agent != "commander" && name == "gf_operation" && !tool.only_reads(arguments) => {
            Err(forbidden(format!("{agent} may only read operations")).fix("ask commander"))
        }
        (Some(_), _) => Ok(()),
        (None, Some(role)) if role >= PersonRole::Operator || tool.only_reads(arguments) => Ok(()),
        _ => Err(forbidden("a viewer only reads".into()).fix("ask an admin for the role operator")),
    }
}

async fn run(call: Call, name: &str, arguments: Value) -> Result<Value, Problem> {
    let now = call.api.clock.now();
    match name {
        "gf_fleet_status" => {
            let params = json::from_value(arguments)?;
            answer(call.api.counted(|fleet, tally| view::status::fleet_status(fleet, tally, &params, now))?)
        }
        "gf_instance_health" => answer(instance::health(&call, json::from_value(arguments)?).await?),
        "gf_pair_status" => answer(pair::status(&call, json::from_value(arguments)?)?),
        "gf_provider_health" => answer(provider::health(&call, json::from_value(arguments)?).await?),
        "gf_audit_log" => answer(audit::log(&call, json::from_value(arguments)?).await?),
        "gf_operation" => answer(operation::operation(&call, json::from_value(arguments)?).await?),
        "gf_incident_report" => answer(incident::report(&call, json::from_value(arguments)?).await?),
        "gf_cost_report" => answer(cost::report(&call, json::from_value(arguments)?)?),
        "gf_provision" => answer(provision::provision(&call, json::from_value(arguments)?).await?),
        "gf_teardown" => answer(teardown::teardown(&call, json::from_value(arguments)?).await?),
        "gf_restore" => answer(teardown::restore(&call, json::from_value(arguments)?).await?),
        "gf_tier_resize" => answer(change::resize(&call, json::from_value(arguments)?).await?),
        "gf_config_push" => answer(config::push(&call, json::from_value(arguments)?).await?),
        "gf_bulk_restart" => answer(change::restart(&call, json::from_value(arguments)?).await?),
        "gf_failover" => answer(failover::failover(&call, json::from_value(arguments)?).await?),
        "gf_provider_policy" => answer(change::policy(&call, json::from_value(arguments)?).await?),
        "gf_alerts_silence" => answer(change::silence(&call, json::from_value(arguments)?).await?),
        "gf_schedule" => answer(schedule::schedule(&call, json::from_value(arguments)?).await?),
        other => Err(Problem::not_found("tool", other)),
    }
}

fn answer(reply: impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(reply).map_err(Problem::internal)
}
