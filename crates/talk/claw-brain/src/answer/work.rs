//! Work that was planned, is running or has ended.

use super::words::{counts, ids, seconds, targets, typed};
use gf_tools::{
    BulkRestartReply, ConfigPushReply, FailoverReply, OperationReply, ProvisionReply, RestoreReply,
    TeardownReply, TierResizeReply, provision::Place,
};
use serde_json::Value;

/// Most pairs of a plan that are listed one by one.
const LISTED: usize = 10;

fn place(place: &Place) -> String {
    format!("{} {}", place.provider, place.region).trim().to_owned()
}

pub fn provision(reply: &Value) -> Vec<String> {
    let reply: ProvisionReply = typed(reply);
    let mut lines: Vec<String> = Vec::new();
    for pair in reply.plan.iter().take(LISTED) {
        lines.push(format!(
            "{}: primary {}, standby {}",
            pair.account_id,
            place(&pair.primary),
            place(&pair.standby)
        ));
    }
    if reply.plan.len() > LISTED {
        let rest: Vec<&str> = reply.plan.iter().skip(LISTED).map(|pair| pair.account_id.as_str()).collect();
        lines.push(format!("Also {}", ids(&rest)));
    }
    if !reply.monthly_cost.is_empty() {
        lines.push(format!("Adds {}", reply.monthly_cost));
    }
    lines
}

pub fn teardown(reply: &Value) -> Vec<String> {
    let reply: TeardownReply = typed(reply);
    let mut lines = vec![format!("Accounts: {}", ids(&reply.account_ids))];
    if !reply.instance_ids.is_empty() {
        lines.push(format!("Instances: {}", ids(&reply.instance_ids)));
    }
    lines.extend(
        reply.archives.iter().map(|archive| format!("Archive {} of {}", archive.id, archive.account_id)),
    );
    if !reply.monthly_saving.is_empty() {
        lines.push(format!("Saves {}", reply.monthly_saving));
    }
    lines
}

pub fn resize(reply: &Value) -> Vec<String> {
    let reply: TierResizeReply = typed(reply);
    let mut lines: Vec<String> = reply
        .changes
        .iter()
        .take(LISTED)
        .map(|c| format!("{}: {} → {}", c.account_id, c.old_tier, c.new_tier))
        .collect();
    if !reply.monthly_delta.is_empty() {
        lines.push(format!("Monthly cost {}", reply.monthly_delta));
    }
    if reply.interruption_seconds > 0.0 {
        lines.push(format!("Expected interruption per account {}", seconds(reply.interruption_seconds)));
    }
    lines
}

pub fn push(reply: &Value) -> Vec<String> {
    let reply: ConfigPushReply = typed(reply);
    let mut lines: Vec<String> = Vec::new();
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "unset".to_owned(), Value::to_string);
    lines.extend(
        reply.diff.iter().take(LISTED).map(|d| format!("{}: {} → {}", d.path, shown(&d.old), shown(&d.new))),
    );
    if reply.gateways > 0 {
        lines.push(format!(
            "{} gateways ({} instances), {} batches of up to {}",
            reply.gateways, reply.instances, reply.batches, reply.batch_size
        ));
    }
    lines.extend(targets("Flagged", &reply.flagged));
    lines
}

pub fn restore(reply: &Value) -> Vec<String> {
    let reply: RestoreReply = typed(reply);
    let mut lines = Vec::new();
    if !reply.source.is_empty() {
        lines.push(format!("From {}", reply.source));
    }
    if !reply.comes_back.is_empty() {
        lines.push(format!("Comes back: {}", reply.comes_back.join(", ")));
    }
    if !reply.does_not_come_back.is_empty() {
        lines.push(format!("Does not come back: {}", reply.does_not_come_back.join(", ")));
    }
    if let Some(rpo) = reply.rpo_seconds {
        lines.push(format!("Newest past that is lost: {}", seconds(rpo)));
    }
    if !reply.monthly_cost.is_empty() {
        lines.push(format!("Costs {}", reply.monthly_cost));
    }
    lines
}

pub fn restart(reply: &Value) -> Vec<String> {
    let reply: BulkRestartReply = typed(reply);
    let all = [
        ("Healed", &reply.healed),
        ("Still degraded", &reply.degraded),
        ("Failed", &reply.failed),
        ("Restarting", &reply.running),
    ];
    all.into_iter().filter_map(|(title, lines)| targets(title, lines)).collect()
}

pub fn failover(reply: &Value) -> Vec<String> {
    let reply: FailoverReply = typed(reply);
    let mut lines = Vec::new();
    if let (Some(new), Some(old)) = (&reply.new_primary, &reply.old_primary) {
        lines.push(format!("{new} takes over from {old}"));
    }
    if let Some(rpo) = reply.rpo_seconds {
        lines.push(format!("Newest past that is lost: {}", seconds(rpo)));
    }
    lines
}

pub fn operation(reply: &Value) -> Vec<String> {
    let reply: OperationReply = typed(reply);
    let mut lines = Vec::new();
    if !reply.id.is_empty() {
        lines.push(format!("{} ({}): {}", reply.id, reply.verb, reply.state.replace('_', " ")));
    }
    if reply.targets_total > 0 {
        lines.push(format!(
            "{} {}: {}",
            reply.targets_total,
            if reply.targets_total == 1 { "target" } else { "targets" },
            counts(&reply.targets_by_state)
        ));
    }
    if reply.instances_total > 0 {
        lines.push(format!("{} instances: {}", reply.instances_total, counts(&reply.instances_by_state)));
    }
    if let (Some(batch), Some(batches)) = (reply.batch, reply.batches) {
        lines.push(format!("Batch {batch} of {batches}"));
    }
    for (title, target) in [("Fastest", &reply.fastest), ("Slowest", &reply.slowest)] {
        if let Some((target, took)) =
            target.as_ref().and_then(|target| target.seconds.map(|took| (target, took)))
        {
            lines.push(format!("{title}: {} in {}", target.id, seconds(took)));
        }
    }
    if let Some(eta) = reply.eta_seconds {
        lines.push(format!("About {} to go", seconds(eta)));
    }
    for (title, known) in
        [("Accounts", &reply.account_ids), ("Instances", &reply.instance_ids), ("Archives", &reply.archives)]
    {
        if !known.is_empty() {
            lines.push(format!("{title}: {}", ids(known)));
        }
    }
    lines.extend(targets("Flagged", &reply.flagged));
    lines.extend(targets("Failed", &reply.failed));
    lines.extend(targets("Skipped", &reply.skipped));
    lines.extend(reply.rpo_seconds.map(|rpo| format!("Newest past that is lost: {}", seconds(rpo))));
    lines.extend(reply.webhooks_delivered.map(|sent| format!("Webhooks to COMPANION acknowledged: {sent}")));
    lines.extend(reply.webhooks_waiting.filter(|waiting| *waiting > 0).map(|waiting| {
        let why = reply.webhooks_wait_for.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("Webhooks to COMPANION not taken yet: {waiting}{why}")
    }));
    lines.extend(reply.error.clone().map(|error| format!("Because: {error}")));
    lines
}

/// Whether the work is a plan that a person has not agreed to yet.
pub fn waits(reply: &Value) -> bool {
    reply["state"].as_str().is_some_and(|state| state.starts_with("WAITING"))
}

/// What it waits for, in one line: nobody's yes is taken here.
pub fn waiting(reply: &Value) -> String {
    let reply: OperationReply = typed(reply);
    let code = reply.approval_code.unwrap_or(reply.id);
    let summary = super::words::sentence(&reply.summary);
    // The control plane may have said what a yes is.
    if summary.contains("\"go\"") {
        return format!("{summary} \"approve {code}\" as the whole message is one too.");
    }
    format!("{summary} The whole message must be \"go\" or \"approve {code}\".")
}
