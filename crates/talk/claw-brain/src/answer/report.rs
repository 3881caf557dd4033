//! Costs, providers, audit, incidents, silences, schedules.

use super::words::{ids, seconds, typed};
use gf_tools::{
    AlertsSilenceReply, AuditLogReply, CostReportReply, IncidentReportReply, ProviderHealthReply,
    ScheduleReply,
};
use serde_json::Value;

/// Most rows that are told.
const LISTED: usize = 12;

pub fn cost(reply: &Value) -> Vec<String> {
    let reply: CostReportReply = typed(reply);
    let mut lines = Vec::new();
    if !reply.actual.is_empty() {
        let deviation = reply.deviation_percent.map(|percent| format!(" ({percent}%)")).unwrap_or_default();
        lines.push(format!(
            "{} against {} projected this {}{deviation}",
            reply.actual, reply.projected, reply.period
        ));
    }
    lines.extend(reply.waste.iter().map(|item| {
        let what = item.recommendation.trim_end_matches('.');
        format!("{} {}: {}, {what} ({})", item.count, item.kind, item.monthly, ids(&item.account_ids))
    }));
    if !reply.waste.is_empty() {
        lines.push(format!("Recoverable: {}", reply.recoverable));
    }
    if reply.low_confidence {
        lines.push("Low confidence: there is too little history to act on this".to_owned());
    }
    lines
}

pub fn providers(reply: &Value) -> Vec<String> {
    let reply: ProviderHealthReply = typed(reply);
    let line = |p: &gf_tools::provider::ProviderLine| {
        let score = p.score.map_or_else(|| "score unknown".to_owned(), |score| format!("score {score}"));
        let unsure = if p.low_confidence { ", low confidence" } else { "" };
        let took = p
            .average_provision_seconds
            .map(|took| format!(", provisions in {}", seconds(took)))
            .unwrap_or_default();
        let failed = if p.failed_provisions > 0 {
            format!(", {} of {} provisions failed", p.failed_provisions, p.provisions)
        } else {
            String::new()
        };
        let incident =
            p.incident.as_ref().map(|incident| format!(", incident: {incident}")).unwrap_or_default();
        format!(
            "{}: {score}{unsure}, pool {}, advice {}{took}{failed}{incident}",
            p.provider, p.pool, p.advice
        )
    };
    reply.providers.iter().map(line).collect()
}

pub fn audit(reply: &Value) -> Vec<String> {
    let reply: AuditLogReply = typed(reply);
    let mut lines: Vec<String> = reply
        .rows
        .iter()
        .take(LISTED)
        .map(|row| {
            let approval = row.approval.as_ref().map(|code| format!(", approval {code}")).unwrap_or_default();
            format!(
                "{} {} {} {}: {}{approval}",
                row.at,
                row.actor,
                row.action,
                ids(&row.targets),
                row.outcome
            )
        })
        .collect();
    if !reply.chain_ok {
        lines.push(format!("The chain of rows is NOT whole: {}", reply.chain_problem.unwrap_or_default()));
    }
    lines
}

pub fn incidents(reply: &Value) -> Vec<String> {
    let reply: IncidentReportReply = typed(reply);
    let mut lines = Vec::new();
    for incident in reply.incidents.iter().take(LISTED) {
        lines.push(format!(
            "{} [{} {}] {}: since {}",
            incident.id, incident.severity, incident.status, incident.title, incident.opened_at
        ));
        if let [only] = reply.incidents.as_slice() {
            lines.push(format!(
                "{} accounts affected, {} without a gateway",
                only.affected_accounts, only.without_gateway
            ));
            lines.extend(
                only.timeline.iter().take(LISTED).map(|entry| format!("{} {}", entry.at, entry.text)),
            );
            lines.extend(only.root_cause.iter().map(|cause| format!("Root cause: {cause}")));
            lines.extend(only.actions.iter().map(|action| format!("To do: {action}")));
        }
    }
    lines
}

pub fn silence(reply: &Value) -> Vec<String> {
    let reply: AlertsSilenceReply = typed(reply);
    let mut lines: Vec<String> = reply.until.iter().map(|until| format!("Until {until}")).collect();
    if !reply.still_pages.is_empty() {
        lines.push(format!("Still pages: {}", reply.still_pages.join(", ")));
    }
    lines
}

pub fn schedule(reply: &Value) -> Vec<String> {
    let reply: ScheduleReply = typed(reply);
    let line = |entry: &gf_tools::schedule::ScheduleEntry| {
        let next = entry.next_run.as_ref().map(|next| format!(", next {next}")).unwrap_or_default();
        format!("{}: {}{next}", entry.what, entry.when)
    };
    reply.entries.iter().take(LISTED).map(line).collect()
}
