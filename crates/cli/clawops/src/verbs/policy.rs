//! Why something is allowed, refused, or needs a person.

use super::rules;
use crate::api::Api;
use crate::args::PolicyCommand;
use crate::output;
use crate::problem::{Problem, Result};
use serde_json::{Value, json};

pub async fn run(api: &Api, command: PolicyCommand, as_json: bool) -> Result<()> {
    match command {
        PolicyCommand::Explain { tool, arguments } => explain(api, &tool, &arguments, as_json).await,
        PolicyCommand::Rules { to } => rules::show(api, to.as_deref(), as_json).await,
        PolicyCommand::Test { rules, cases } => {
            rules::test(api, rules.as_deref(), cases.as_deref(), as_json).await
        }
        PolicyCommand::Plan { rules } => rules::plan(api, &rules, as_json).await,
        PolicyCommand::Apply { rules, consent } => rules::apply(api, &rules, consent, as_json).await,
    }
}

async fn explain(api: &Api, tool: &str, arguments: &str, as_json: bool) -> Result<()> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|e| Problem::Usage {
        what: "the parameters".into(),
        problem: format!("{arguments:?} is not JSON: {e}"),
        fix: "give a JSON object in single quotes, such as '{\"count\": 2, \"tier\": \"standard\"}'".into(),
    })?;
    let reply = api.post("/v1/policy/explain", json!({ "tool": tool, "arguments": arguments })).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    output::page(&described(&reply));
    Ok(())
}

fn described(reply: &Value) -> String {
    let mut text = output::cell(&reply["summary"]);
    let facts =
        reply.as_object().into_iter().flatten().filter(|(name, _)| *name != "summary" && *name != "decision");
    for (name, value) in facts {
        let said = match (name.as_str(), value) {
            (_, Value::Null) => continue,
            (_, Value::Array(items)) if items.is_empty() => continue,
            ("costDeltaCents", value) => {
                let cents = value.as_i64().unwrap_or_default();
                let sign = if cents < 0 { "-" } else { "+" };
                format!("{sign}${}.{:02} a month", cents.abs() / 100, cents.abs() % 100)
            }
            (_, value) => output::cell(value),
        };
        let name = match name.as_str() {
            "accountsAffected" => "accounts",
            "costDeltaCents" => "cost",
            name => name,
        };
        text.push_str(&format!("\n{name:<9} {said}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_words_and_not_fields() {
        let told = described(&json!({
            "summary": "To tear down acct-0001: needs approval.", "decision": "needs approval",
            "rules": ["person_confirms"], "notes": [], "fix": null, "accountsAffected": 1, "costDeltaCents": -1205,
        }));
        let expected = "To tear down acct-0001: needs approval.\nrules     person_confirms\naccounts  1\ncost      -$12.05 a month";
        assert_eq!(told, expected);
    }
}
