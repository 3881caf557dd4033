//! Why something is allowed, refused, or needs a person.

use crate::api::Api;
use crate::args::PolicyCommand;
use crate::output;
use crate::problem::{Problem, Result};
use serde_json::{Value, json};

pub async fn run(api: &Api, command: PolicyCommand, as_json: bool) -> Result<()> {
    let PolicyCommand::Explain { tool, arguments } = command;
    let arguments: Value = serde_json::from_str(&arguments).map_err(|e| Problem::Bad {
        what: "the parameters",
        value: arguments.clone(),
        fix: format!("give a JSON object: {e}"),
    })?;
    let reply = api.post("/v1/policy/explain", json!({ "tool": tool, "arguments": arguments })).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let mut text = reply["summary"].as_str().map(str::to_owned).unwrap_or_default();
    for (name, value) in reply.as_object().into_iter().flatten().filter(|(name, _)| *name != "summary") {
        text.push_str(&format!("\n{name}: {}", output::cell(value)));
    }
    output::page(text.trim_start());
    Ok(())
}
