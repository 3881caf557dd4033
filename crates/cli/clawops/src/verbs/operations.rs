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
        OpCommand::List { running, limit } => list(api, running, limit, as_json).await,
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

async fn list(api: &Api, running: bool, limit: i64, as_json: bool) -> Result<()> {
    let reply = api.get(&format!("/v1/operations?limit={limit}&running={running}")).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let time = |value: &Value| value.as_str().map_or("–".into(), output::time);
    let rows = reply["items"].as_array().into_iter().flatten().map(|operation| {
        vec![
            output::cell(&operation["id"]),
            verb(operation),
            state(&output::cell(&operation["state"]).to_ascii_uppercase()),
            format!("{}/{}", output::cell(&operation["done"]), output::cell(&operation["total"])),
            who(&operation["principal"]),
            time(&operation["createdAt"]),
            took(&operation["createdAt"], &operation["finishedAt"]),
            operation["error"].as_str().unwrap_or_default().to_owned(),
        ]
    });
    let head = ["OPERATION", "VERB", "STATE", "DONE", "BY", "STARTED", "TOOK", "ERROR"];
    let rows: Vec<_> = rows.collect();
    let (shown, all) = (rows.len() as u64, reply["total"].as_u64().unwrap_or_default());
    let empty = if running { "Nothing is running." } else { "Nothing has been done yet." };
    let mut text = output::list(&head, rows, empty);
    if shown < all {
        text.push_str(&format!("\n\nThe newest {shown} of {all}; --limit {all} shows all."));
    }
    output::page(&text);
    Ok(())
}

/// As operators say it.
fn verb(operation: &Value) -> String {
    let name = operation["verb"]["verb"].as_str().or_else(|| operation["verb"].as_str());
    match name.unwrap_or("–") {
        "configPush" => "push".into(),
        name => name.chars().fold(String::new(), |mut words, c| {
            if c.is_ascii_uppercase() {
                words.push(' ');
            }
            words.push(c.to_ascii_lowercase());
            words
        }),
    }
}

fn took(from: &Value, to: &Value) -> String {
    let at = |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok();
    let (Some(from), Some(to)) = (at(from), at(to)) else { return "–".into() };
    let seconds = to.duration_since(from).as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

fn who(principal: &Value) -> String {
    output::cell(principal.get("id").or_else(|| principal.get("name")).unwrap_or(principal))
}

async fn show(api: &Api, id: &str, as_json: bool) -> Result<()> {
    let operation = follow::look(api, id).await?;
    if as_json {
        output::json(&json!(operation));
    } else {
        let trace = operation.trace.as_ref().map_or_else(String::new, |trace| format!("\ntrace {trace}"));
        output::page(&format!("{}\n{}{trace}", follow::line(&operation), follow::conclusion(&operation)));
    }
    Ok(())
}

async fn control(api: &Api, id: &str, action: &str, as_json: bool) -> Result<()> {
    let reply = api.post(&format!("/v1/operations/{id}/{action}"), json!({})).await?;
    if as_json {
        output::json(&reply)
    } else {
        output::print(&output::cell(&reply["summary"]));
        if action != "pause" {
            output::print(&format!("`clawops op watch {id}` follows it."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_people_are_named_as_operators_say_them() {
        assert_eq!(verb(&json!({ "verb": { "verb": "configPush" } })), "push");
        assert_eq!(verb(&json!({ "verb": { "verb": "rebuildStandby" } })), "rebuild standby");
        assert_eq!(who(&json!({ "kind": "person", "id": "person-ada" })), "person-ada");
        assert_eq!(who(&json!({ "kind": "agent", "name": "commander" })), "commander");
        assert_eq!(took(&json!("2026-11-21T08:00:00Z"), &json!("2026-11-21T08:02:05Z")), "2 min 5 s");
        assert_eq!(took(&json!("2026-11-21T08:00:00Z"), &json!(null)), "–");
    }
}
