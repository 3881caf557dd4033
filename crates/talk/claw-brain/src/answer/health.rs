//! One instance, one pair.

use super::words::{instance as line, seconds, typed};
use gf_tools::{InstanceHealthReply, PairStatusReply};
use serde_json::Value;

pub fn instance(reply: &Value) -> Vec<String> {
    let reply: InstanceHealthReply = typed(reply);
    let mut lines = Vec::new();
    if !reply.instance.instance_id.is_empty() {
        lines.push(format!(
            "{} of {}: {}",
            reply.instance.role,
            reply.instance.account_id,
            line(&reply.instance)
        ));
    }
    lines.extend(reply.checks.iter().filter(|check| !check.ok).map(|check| {
        let detail = check.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        format!("{} failing (−{}){detail}", check.name, check.penalty)
    }));
    if reply.recent_restarts > 0 {
        lines.push(format!("Restarts in the last ten minutes: {}", reply.recent_restarts));
    }
    if !matches!(reply.recommended_action.as_str(), "" | "none") {
        lines.push(format!("Recommended: {}", reply.recommended_action));
    }
    lines
}

pub fn pair(reply: &Value) -> Vec<String> {
    let reply: PairStatusReply = typed(reply);
    let mut lines = Vec::new();
    for (title, half) in [("Primary", &reply.primary), ("Standby", &reply.standby)] {
        match half {
            Some(half) => lines.push(format!("{title}: {}", line(half))),
            None => lines.push(format!("{title}: none")),
        }
    }
    if let Some(failover) = &reply.last_failover {
        lines.push(format!(
            "Last failover {} ({}), lost at most {}",
            failover.at,
            failover.reason,
            failover.rpo_seconds.map_or("unknown".to_owned(), seconds)
        ));
    }
    if let Some(snapshot) = &reply.snapshot {
        lines.push(format!("Newest snapshot {} is {} old", snapshot.id, seconds(snapshot.age_seconds)));
    }
    if let Some(sla) = reply.sla_percent {
        let target =
            reply.sla_target_percent.map(|target| format!(" (target {target}%)")).unwrap_or_default();
        lines.push(format!("Uptime this month {sla}%{target}"));
    }
    if !reply.monthly_cost.is_empty() {
        lines.push(format!("Tier {}, {}", reply.tier, reply.monthly_cost));
    }
    lines
}
