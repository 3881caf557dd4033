//! "What did you just do?", "why was that refused?": asked of the conversation itself.
//!
//! The control plane's records are read again, so that what is told is true now and has its numbers from there.

use super::Scene;
use crate::{envelope::ToolUse, language::Clause, step::Step};
use serde_json::{Value, json};

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let last = scene.memory.last_use()?;
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    if words > 9 || !clause.slots.is_empty() || clause.negated {
        return None;
    }
    if refused(last) && asks_why(clause) {
        return Some(vec![records(last), Step::Recall(told(last))]);
    }
    if !asks_what(clause) {
        return None;
    }
    if refused(last) {
        return Some(vec![records(last), Step::Recall(told(last))]);
    }
    // Right after a notice it is asked about what befell the fleet, not about ourselves.
    if scene.memory.was_told() && last.tool != "gf_operation" {
        return Some(vec![records(last)]);
    }
    let looked = gf_tools::tool(&last.tool).is_some_and(|tool| tool.only_reads(&last.arguments));
    match scene.memory.last_work() {
        Some(id) if !looked || last.tool == "gf_operation" => {
            Some(vec![Step::call("gf_operation", json!({ "id": id, "action": "get" }))])
        }
        _ if looked => {
            Some(vec![Step::Say("I only looked something up for you; I changed nothing.".to_owned())])
        }
        _ => Some(vec![Step::call("gf_audit_log", json!({ "limit": 5 }))]),
    }
}

fn asks_why(clause: &Clause) -> bool {
    let why = clause.says_any(&["why", "reason", "refused", "rejected", "denied"]);
    let help = clause.phrase("what can i")
        || clause.phrase("what now")
        || clause.phrase("what should i")
        || clause.phrase("what do i");
    why || help
}

fn asks_what(clause: &Clause) -> bool {
    let what =
        clause.phrase("what did you") || clause.phrase("what have you") || clause.phrase("what was that");
    let shown = clause.phrase("what happened") || clause.phrase("what just happened");
    what && !clause.says_any(&["today", "yesterday", "week", "night", "far", "push"])
        || shown && clause.says_any(&["just", "now", "there"])
}

fn refused(used: &ToolUse) -> bool {
    !used.reply["error"].is_null() || used.reply.is_null()
}

fn told(used: &ToolUse) -> String {
    match &used.reply["error"] {
        Value::String(text) => text.clone(),
        Value::Object(error) => error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => used.text.clone(),
    }
}

/// What the audit says of the thing that was refused.
fn records(used: &ToolUse) -> Step {
    let arguments = &used.arguments;
    let account = arguments["accountId"].as_str().or_else(|| arguments["accountIds"][0].as_str());
    let instance = arguments["instanceId"].as_str().or_else(|| arguments["instanceIds"][0].as_str());
    match (account, instance) {
        (Some(account), _) => Step::call("gf_audit_log", json!({ "account": account, "limit": 5 })),
        (_, Some(instance)) => Step::call("gf_audit_log", json!({ "instance": instance, "limit": 5 })),
        _ if used.tool == "gf_config_push" => {
            Step::call("gf_audit_log", json!({ "action": "config_push", "limit": 5 }))
        }
        _ => Step::call("gf_audit_log", json!({ "limit": 5 })),
    }
}
