//! The fleet in bullets.

use super::words::{counts, ids, instance, typed};
use gf_tools::FleetStatusReply;
use serde_json::Value;

/// Most gateways that are listed one by one.
const LISTED: usize = 20;

pub fn status(reply: &Value) -> Vec<String> {
    let reply: FleetStatusReply = typed(reply);
    let mut lines = Vec::new();
    if reply.instances_total > 0 {
        lines.push(format!("{} instances: {}", reply.instances_total, counts(&reply.instances_by_state)));
    }
    if reply.unprotected > 0 {
        lines.push(format!("{} unprotected (standby not ACTIVE)", reply.unprotected));
    }
    if reply.uncertain > 0 {
        lines.push(format!("{} with an uncertain state", reply.uncertain));
    }
    let places: Vec<String> = reply
        .by_provider
        .iter()
        .map(|p| format!("{} {} ({} active)", p.provider, p.instances, p.active))
        .collect();
    if !places.is_empty() {
        lines.push(format!("By provider: {}", places.join(", ")));
    }
    if !reply.monthly_cost.is_empty() {
        lines.push(format!("Cost: {}", reply.monthly_cost));
    }
    lines.extend(reply.revision.iter().map(|revision| format!("Configuration {revision}")));
    lines.extend(
        reply
            .alerts
            .iter()
            .filter(|alert| !alert.silenced)
            .take(LISTED)
            .map(|alert| format!("{} {}: {}", alert.severity.to_uppercase(), alert.subject, alert.text)),
    );
    lines.extend(reply.operations.iter().take(LISTED).map(|operation| {
        format!(
            "{} {} {}: {} of {} done",
            operation.id, operation.verb, operation.state, operation.done, operation.total
        )
    }));
    lines.extend(reply.gateways.iter().take(LISTED).map(|gateway| {
        let half =
            |line: &Option<gf_tools::InstanceLine>| line.as_ref().map_or_else(|| "none".to_owned(), instance);
        let standby = half(&gateway.standby);
        format!(
            "{} ({}, {}): primary {}; standby {standby}",
            gateway.account_id,
            gateway.tier,
            gateway.condition,
            half(&gateway.primary)
        )
    }));
    if reply.gateways.len() > LISTED {
        let rest: Vec<&str> =
            reply.gateways.iter().skip(LISTED).map(|gateway| gateway.account_id.as_str()).collect();
        lines.push(format!("Also {}", ids(&rest)));
    }
    lines
}
