//! Work in progress and past work.

use crate::api::Api;
use crate::args::OpCommand;
use crate::consent::confirm;
use crate::follow;
use crate::output::{self, state};
use crate::problem::Result;
use serde_json::{Value, json};

pub async fn run(api: &Api, command: OpCommand, as_json: bool) -> Result<()> {
    match command {
        OpCommand::List => list(api, as_json).await,
        OpCommand::Show { id } => show(api, &id, as_json).await,
        OpCommand::Watch { id } => follow::to_the_end(api, &id, as_json).await,
        OpCommand::Pause { id } => control(api, &id, "pause", as_json).await,
        OpCommand::Resume { id } => control(api, &id, "resume", as_json).await,
        OpCommand::Retry { id } => control(api, &id, "retry", as_json).await,
        OpCommand::Cancel { id, consent } => {
            let now = follow::look(api, &id).await?;
            let question = format!("Cancel {id}? What it has done so far is undone.\n{}", now.summary);
            confirm(&question, consent)?;
            control(api, &id, "cancel", as_json).await
        }
    }
}

async fn list(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/operations?limit=200").await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let verb = |operation: &Value| match &operation["verb"] {
        Value::Object(verb) => output::cell(verb.get("verb").unwrap_or(&Value::Null)),
        other => output::cell(other),
    };
    let time = |value: &Value| value.as_str().map_or("–".into(), output::time);
    let rows = reply["items"].as_array().into_iter().flatten().map(|operation| {
        vec![
            output::cell(&operation["id"]),
            verb(operation),
            state(&output::cell(&operation["state"])),
            time(&operation["createdAt"]),
            time(&operation["finishedAt"]),
            output::cell(&operation["error"]),
        ]
    });
    let head = ["OPERATION", "VERB", "STATE", "STARTED", "ENDED", "ERROR"];
    output::page(&output::table(&head, rows.collect()));
    Ok(())
}

async fn show(api: &Api, id: &str, as_json: bool) -> Result<()> {
    let operation = follow::look(api, id).await?;
    if as_json {
        output::json(&json!(operation));
    } else {
        output::page(&format!("{}\n{}", follow::line(&operation), follow::conclusion(&operation)));
    }
    Ok(())
}

async fn control(api: &Api, id: &str, action: &str, as_json: bool) -> Result<()> {
    let reply = api.post(&format!("/v1/operations/{id}/{action}"), json!({})).await?;
    if as_json {
        output::json(&reply)
    } else {
        output::print(&output::cell(&reply["summary"]))
    }
    Ok(())
}
