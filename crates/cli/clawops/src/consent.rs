//! From a verb to its end: ask the control plane, show its own question, take a person's yes, follow the work.
//!
//! The question is never rephrased here, and nobody's yes is assumed: without a terminal it takes `--yes`.

use crate::api::Api;
use crate::args::Consent;
use crate::follow;
use crate::output;
use crate::problem::{Problem, Result};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};

/// Calls a tool that may change something and carries it through.
pub async fn carry_out(
    api: &Api,
    tool: &str,
    arguments: Value,
    consent: Consent,
    as_json: bool,
) -> Result<()> {
    let path = if consent.yes { format!("{tool}?confirm=true") } else { tool.to_owned() };
    let reply = api.tool(&path, arguments).await?;
    settle(api, reply, consent, as_json).await
}

/// What was asked for already: follows its work, or asks the person first where a yes is needed.
pub async fn settle(api: &Api, reply: Value, consent: Consent, as_json: bool) -> Result<()> {
    let Some(approval) = reply.get("approval").filter(|approval| approval.is_object()) else {
        return finish(api, &reply, consent, as_json).await;
    };
    let code = approval["code"].as_str().unwrap_or_default().to_owned();
    let question = approval["question"].as_str().unwrap_or_default();
    if as_json {
        output::json(&reply);
    } else {
        output::print(&output::boxed(&code, question));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Problem::NotAgreed(format!(
            "this needs a yes; `clawops approvals approve {code}` gives it, `clawops approvals deny {code}` drops it"
        )));
    }
    if !agreed()? {
        api.post(&format!("/v1/approvals/{code}/deny"), json!({})).await?;
        return Err(Problem::NotAgreed(format!("{code} was denied")));
    }
    let granted = api.post(&format!("/v1/approvals/{code}/grant"), json!({})).await?;
    finish(api, &granted, consent, as_json).await
}

/// A yes to something that no plan describes.
pub fn confirm(question: &str, consent: Consent) -> Result<()> {
    if consent.yes {
        return Ok(());
    }
    eprintln!("{question}");
    if !std::io::stdin().is_terminal() {
        return Err(Problem::NotAgreed("this needs a yes; the same command with --yes".into()));
    }
    if agreed()? { Ok(()) } else { Err(Problem::NotAgreed("you said no".into())) }
}

fn agreed() -> Result<bool> {
    eprint!("Go ahead? [y/N] ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|e| Problem::Failed(format!("cannot read the answer: {e}")))?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

pub async fn finish(api: &Api, reply: &Value, consent: Consent, as_json: bool) -> Result<()> {
    let operation = operation_id(reply);
    if let (Some(summary), false) = (reply["summary"].as_str(), as_json) {
        output::print(summary);
    }
    match operation {
        Some(id) if !consent.no_wait => follow::to_the_end(api, &id, as_json).await,
        _ if as_json => {
            output::json(reply);
            Ok(())
        }
        Some(id) => {
            output::print(&format!("Started {id}; follow it with `clawops op watch {id}`."));
            Ok(())
        }
        None => Ok(()),
    }
}

/// Wherever the answer carries it: a tool's reply, a granted approval, an operation itself.
pub fn operation_id(reply: &Value) -> Option<String> {
    let places = ["/operationId", "/operation/id", "/approval/operationId", "/approval/operation"];
    let found = places.iter().find_map(|place| reply.pointer(place)?.as_str());
    found.or_else(|| reply["id"].as_str().filter(|id| id.starts_with("op-"))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_found_wherever_the_answer_carries_it() {
        for reply in [
            json!({ "operationId": "op-1a" }),
            json!({ "operation": { "id": "op-1a" }, "approval": { "code": "A7K2" } }),
            json!({ "id": "op-1a", "verb": {} }),
        ] {
            assert_eq!(operation_id(&reply).as_deref(), Some("op-1a"), "{reply}");
        }
        assert_eq!(operation_id(&json!({ "id": "i-7f3a", "operationId": null })), None);
    }
}
