//! Stopping all automation, seeing what waits for its end, and letting it go on.

use crate::api::Api;
use crate::output::{self, state};
use crate::problem::{Problem, Result};
use gf_tools::AutomationReply;
use serde_json::{Value, json};

pub async fn freeze(api: &Api, reason: &str, as_json: bool) -> Result<()> {
    let reply = api.post("/v1/automation/freeze", json!({ "reason": reason })).await?;
    show(reply, as_json)
}

pub async fn thaw(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.post("/v1/automation/thaw", json!({})).await?;
    show(reply, as_json)
}

fn show(reply: Value, as_json: bool) -> Result<()> {
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let reply: AutomationReply = serde_json::from_value(reply)
        .map_err(|e| Problem::Unexpected { path: "/v1/automation".into(), problem: e.to_string() })?;
    output::page(&text(&reply));
    Ok(())
}

fn text(reply: &AutomationReply) -> String {
    let mut text = reply.summary.clone();
    if !reply.operations.is_empty() {
        let rows = reply.operations.iter().map(|work| {
            vec![
                work.id.clone(),
                work.verb.clone(),
                state(&work.state),
                format!("{} of {}", work.done, work.total),
            ]
        });
        text.push_str(&format!(
            "\n\n{}",
            output::table(&["OPERATION", "VERB", "STATE", "DONE"], rows.collect())
        ));
    }
    if !reply.acts.is_empty() {
        let rows = reply.acts.iter().map(|held| {
            vec![held.act.replace('_', " "), held.account_id.clone(), held.why.clone().unwrap_or_default()]
        });
        text.push_str(&format!("\n\n{}", output::table(&["HELD BACK", "ACCOUNT", "WHY"], rows.collect())));
    }
    if !reply.schedules.is_empty() {
        text.push_str(&format!("\n\nreports held back: {}", reply.schedules.join(", ")));
    }
    if !reply.goes_on.is_empty() {
        text.push_str("\n\nWhat goes on:");
        for what in &reply.goes_on {
            text.push_str(&format!("\n  {what}"));
        }
        text.push_str("\n\n`clawops thaw` ends it.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_tools::automation::HeldAct;

    #[test]
    fn what_is_held_back_is_named_and_not_only_counted() {
        let held = HeldAct { act: "rebuild_standby".into(), account_id: "acct-0042".into(), why: None };
        let reply = AutomationReply { acts: vec![held], ..AutomationReply::default() };
        let text = text(&reply);
        assert!(text.contains("rebuild standby") && text.contains("acct-0042"), "{text}");
    }
}
