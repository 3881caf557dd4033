//! Questions that wait for a person, answered with the person's own key.

use crate::api::Api;
use crate::args::ApprovalsCommand;
use crate::consent::{confirm, finish};
use crate::home::Home;
use crate::output::{self, state};
use crate::problem::Result;
use crate::signing;
use serde_json::{Value, json};

pub async fn run(api: &Api, home: &Home, command: ApprovalsCommand, as_json: bool) -> Result<()> {
    match command {
        ApprovalsCommand::List { all } => list(api, all, as_json).await,
        ApprovalsCommand::Show { code } => {
            let approval = api.get(&format!("/v1/approvals/{code}")).await?;
            if as_json {
                output::json(&approval)
            } else {
                output::page(&question(&approval))
            }
            Ok(())
        }
        ApprovalsCommand::Approve { code, consent } => {
            let approval = api.get(&format!("/v1/approvals/{code}")).await?;
            confirm(&question(&approval), consent)?;
            let yes = match approval["signed"] == true {
                true => signing::sign(&signing::file(home), &approval)?,
                false => json!({}),
            };
            let granted = api.post(&format!("/v1/approvals/{code}/grant"), yes).await?;
            finish(api, &granted, consent, as_json).await
        }
        ApprovalsCommand::Deny { code } => {
            let denied = api.post(&format!("/v1/approvals/{code}/deny"), json!({})).await?;
            if as_json {
                output::json(&denied)
            } else {
                output::print(&format!("{code} is denied; nothing was changed."))
            }
            Ok(())
        }
        ApprovalsCommand::Changes { code, text } => {
            let wish = json!({ "text": text.join(" ") });
            let asked = api.post(&format!("/v1/approvals/{code}/changes"), wish).await?;
            if as_json {
                output::json(&asked)
            } else {
                output::print(asked["summary"].as_str().unwrap_or_default())
            }
            Ok(())
        }
    }
}

fn question(approval: &Value) -> String {
    let title = format!("{} · {}", output::cell(&approval["code"]), state(&output::cell(&approval["state"])));
    let question = approval["question"].as_str().unwrap_or_default();
    let Some(wish) = approval["changes"].as_object() else { return output::boxed(&title, question) };
    let wanted = format!("{} wants it otherwise: {}", output::cell(&wish["by"]), output::cell(&wish["text"]));
    output::boxed(&title, &format!("{question}\n{wanted}"))
}

async fn list(api: &Api, all: bool, as_json: bool) -> Result<()> {
    let state_wanted = if all { "all" } else { "open" };
    let reply = api.get(&format!("/v1/approvals?limit=200&state={state_wanted}")).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let rows = reply["items"].as_array().into_iter().flatten().map(|approval| {
        let verb = approval["envelope"]["verb"].as_str().or_else(|| approval["verb"].as_str());
        vec![
            output::cell(&approval["code"]),
            state(&output::cell(&approval["state"])),
            verb.unwrap_or("–").to_owned(),
            output::cell(&approval["conversation"]),
            approval["expiresAt"].as_str().map_or("–".into(), output::time),
            approval["question"]
                .as_str()
                .and_then(|question| question.lines().next())
                .unwrap_or("–")
                .to_owned(),
        ]
    });
    let head = ["CODE", "STATE", "VERB", "ASKED IN", "EXPIRES", "QUESTION"];
    output::page(&output::list(&head, rows.collect(), "No question is open."));
    Ok(())
}
