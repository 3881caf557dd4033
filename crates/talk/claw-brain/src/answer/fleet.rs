//! The fleet in bullets.

use super::words::{counts, ids, instance, typed};
use gf_tools::FleetStatusReply;
use serde_json::Value;

/// Most gateways that are listed one by one.
const LISTED: usize = 20;
/// Most instances that are named where several stand out alike.
const STANDING_OUT: usize = 5;

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

/// The instance that stands out by its health score, by name; never the whole list.
pub fn extreme(reply: &Value, lowest: bool) -> String {
    let reply: FleetStatusReply = typed(reply);
    let halves = reply.gateways.iter().flat_map(|gateway| [&gateway.primary, &gateway.standby]);
    let mut scored: Vec<(u32, &gf_tools::InstanceLine)> =
        halves.flatten().filter_map(|line| line.score.map(|score| (score, line))).collect();
    scored.sort_by_key(|(score, _)| *score);
    let (Some((least, _)), Some((most, _))) = (scored.first(), scored.last()) else {
        return "No instance has a health score at the moment, so I can't say.".to_owned();
    };
    if least == most {
        return format!("None stands out: every instance has a health score of {least}.");
    }
    let wanted = if lowest { *least } else { *most };
    let named: Vec<String> = scored
        .iter()
        .filter(|(score, _)| *score == wanted)
        .take(STANDING_OUT)
        .map(|(_, line)| format!("{} ({} of {})", line.instance_id, line.role, line.account_id))
        .collect();
    let end = if lowest { "lowest" } else { "highest" };
    format!(
        "{} {} the {end} health score: {wanted}. (I know scores, not how long a gateway takes to answer.)",
        ids(&named),
        if named.len() == 1 { "has" } else { "have" }
    )
}
