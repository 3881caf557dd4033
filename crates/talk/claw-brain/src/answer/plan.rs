//! A plan that waits for a person, in a line or two: only what the control plane's own question does not say.
//!
//! That question follows right below, with count, names, cost and what cannot be undone; it is never repeated here.

use super::words::{ids, typed};
use crate::envelope::ToolUse;
use gf_tools::{
    ConfigPushReply, OperationReply, ProvisionReply, RestoreReply, TeardownReply, TierResizeReply,
    provision::Place,
};
use serde_json::Value;

/// Most places, keys or accounts that are told apart.
const LISTED: usize = 3;

pub fn brief(used: &ToolUse) -> String {
    let reply = &used.reply;
    let lines = match used.tool.as_str() {
        "gf_provision" => provision(reply),
        "gf_teardown" => teardown(reply),
        "gf_config_push" => push(reply),
        "gf_restore" => restore(reply),
        "gf_tier_resize" => resize(reply),
        "gf_operation" => rollback(reply),
        _ => Vec::new(),
    };
    if lines.is_empty() {
        reply["summary"].as_str().unwrap_or_default().trim().to_owned()
    } else {
        lines.join("\n")
    }
}

/// `2 standard pairs, $24/month: primary local-a local, standby local-b local (acct-0001)`.
fn provision(reply: &Value) -> Vec<String> {
    let reply: ProvisionReply = typed(reply);
    let place = |place: &Place| format!("{} {}", place.provider, place.region).trim().to_owned();
    let mut places: Vec<(String, Vec<&str>)> = Vec::new();
    for pair in &reply.plan {
        let at = format!("primary {}, standby {}", place(&pair.primary), place(&pair.standby));
        match places.iter_mut().find(|(known, _)| *known == at) {
            Some((_, accounts)) => accounts.push(&pair.account_id),
            None => places.push((at, vec![&pair.account_id])),
        }
    }
    let more = if places.len() > LISTED { "; and other places" } else { "" };
    let told: Vec<String> = match places.as_slice() {
        [(only, _)] => vec![only.clone()],
        several => {
            several.iter().take(LISTED).map(|(at, accounts)| format!("{at} ({})", ids(accounts))).collect()
        }
    };
    let cost =
        if reply.monthly_cost.is_empty() { String::new() } else { format!(" for {}", reply.monthly_cost) };
    let pairs = if reply.pairs == 1 { "pair" } else { "pairs" };
    if told.is_empty() {
        return Vec::new();
    }
    vec![format!("{} {} {pairs}{cost}: {}{more}.", reply.pairs, reply.tier, told.join("; "))]
}

fn teardown(reply: &Value) -> Vec<String> {
    let reply: TeardownReply = typed(reply);
    if reply.instance_ids.is_empty() {
        return vec![format!("{} would go.", ids(&reply.account_ids))];
    }
    vec![format!("{} would go, with {}.", ids(&reply.account_ids), ids(&reply.instance_ids))]
}

/// What the keys are now, which the question does not say.
fn push(reply: &Value) -> Vec<String> {
    let reply: ConfigPushReply = typed(reply);
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "unset".to_owned(), Value::to_string);
    let mut lines: Vec<String> = reply
        .diff
        .iter()
        .take(LISTED)
        .map(|line| {
            let restart = if line.restart { " (restarts the gateway)" } else { "" };
            format!("{}: {} → {}{restart}", line.path, shown(&line.old), shown(&line.new))
        })
        .collect();
    lines.extend(super::words::targets("Flagged", &reply.flagged));
    lines
}

fn restore(reply: &Value) -> Vec<String> {
    let reply: RestoreReply = typed(reply);
    let mut line = format!("{} from {}", reply.account_id, reply.source);
    if !reply.comes_back.is_empty() {
        line = format!("{line}: {}", reply.comes_back.join(", "));
    }
    if !reply.does_not_come_back.is_empty() {
        line = format!("{line}; not {}", reply.does_not_come_back.join(", "));
    }
    vec![format!("{line}.")]
}

fn resize(reply: &Value) -> Vec<String> {
    let reply: TierResizeReply = typed(reply);
    let change =
        |c: &gf_tools::resize::TierChange| format!("{}: {} → {}", c.account_id, c.old_tier, c.new_tier);
    let mut told: Vec<String> = reply.changes.iter().take(LISTED).map(change).collect();
    if reply.interruption_seconds > 0.0 {
        told.push(format!(
            "expected interruption {} each",
            super::words::seconds(reply.interruption_seconds)
        ));
    }
    if told.is_empty() { Vec::new() } else { vec![format!("{}.", told.join("; "))] }
}

fn rollback(reply: &Value) -> Vec<String> {
    let reply: OperationReply = typed(reply);
    if reply.verb != "rollback" {
        return Vec::new();
    }
    vec![format!("{} would go back, each to its own previous keys.", ids(&reply.account_ids))]
}
