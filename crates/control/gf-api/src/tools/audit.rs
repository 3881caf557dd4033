//! `gf_audit_log`: who did what, and whether the chain is whole.

use super::Call;
use crate::{Problem, paging::checked_limit, view::words};
use gf_model::{
    Timestamp,
    audit::{AuditPhase, AuditRow},
    person::Principal,
};
use gf_store::{AUDIT_LIMIT, AuditQuery, Verification};
use gf_tools::{AuditLogParams, AuditLogReply, audit as words_of};

pub(super) async fn log(call: &Call, params: AuditLogParams) -> Result<AuditLogReply, Problem> {
    let limit = checked_limit(params.limit, 50, AUDIT_LIMIT)?;
    let query = AuditQuery {
        target: target(&params)?,
        actor: params.actor.clone(),
        action: params.action.clone(),
        trace: params.trace.as_deref().map(trace_named).transpose()?,
        from: moment("from", params.from.as_deref())?,
        to: moment("to", params.to.as_deref())?,
        limit: Some(AUDIT_LIMIT),
        ..AuditQuery::default()
    };
    let found = call.api.store.audit(query).await.map_err(Problem::internal)?;
    let verified = call.api.store.verify().await.map_err(Problem::internal)?;
    let rows: Vec<_> = found.iter().take(limit).map(row).collect();
    let chain_ok = verified.is_whole();
    let problem = problem(&verified);
    let matching = found.len() as u64;
    let shown = rows.len() as u64;
    let chain = match &problem {
        None => "The chain is whole".to_owned(),
        Some(problem) => format!("THE CHAIN IS BROKEN: {problem}"),
    };
    let least = if found.len() == AUDIT_LIMIT { "At least " } else { "" };
    let zone = call.zone();
    let newest = rows.first().zip(found.first()).map(|(row, kept)| {
        let at = words::moment_beside(kept.entry.at, zone.as_ref());
        format!(" Newest: {} by {} ({}) at {at}.", row.action, row.actor, row.outcome)
    });
    let summary = format!(
        "{least}{} match{}, {shown} shown.{} {chain}.",
        words::count(matching, "row", "rows"),
        if matching == 1 { "es" } else { "" },
        newest.unwrap_or_default()
    );
    Ok(AuditLogReply { summary, matching, rows, chain_ok, chain_problem: problem })
}

fn target(params: &AuditLogParams) -> Result<Option<String>, Problem> {
    let account = params
        .account
        .as_deref()
        .map(|given| crate::problem::parse_id::<gf_model::AccountId>("account", given));
    let instance = params
        .instance
        .as_deref()
        .map(|given| crate::problem::parse_id::<gf_model::InstanceId>("instance", given));
    match (account.transpose()?, instance.transpose()?) {
        (Some(_), Some(_)) => {
            Err(Problem::bad_request("too_many_targets", "account and instance were both given")
                .fix("give one of them"))
        }
        (Some(account), None) => Ok(Some(account.to_string())),
        (None, instance) => Ok(instance.map(|id| id.to_string())),
    }
}

/// A trace id that somebody typed.
pub fn trace_named(given: &str) -> Result<String, Problem> {
    let trace = given.trim().to_ascii_lowercase();
    if gf_model::trace::is_trace(&trace) {
        return Ok(trace);
    }
    Err(Problem::bad_request("malformed_trace", format!("{given:?} is no trace id"))
        .at("trace", given)
        .fix("give its 32 hexadecimal digits"))
}

/// A time that somebody typed.
pub fn moment(field: &str, given: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    given
        .map(|text| {
            text.parse::<Timestamp>().map_err(|_| {
                Problem::bad_request("malformed_time", format!("{text:?} is not a time"))
                    .at(field, text)
                    .fix("write it as 2026-11-21T08:00:00Z")
            })
        })
        .transpose()
}

pub fn actor(principal: &Principal) -> String {
    match principal {
        Principal::Person(id) => id.to_string(),
        Principal::Agent(name) | Principal::Service(name) => name.clone(),
    }
}

pub fn outcome(phase: AuditPhase) -> &'static str {
    match phase {
        AuditPhase::Started => "begun",
        AuditPhase::Done => "done",
        AuditPhase::Failed => "failed",
        AuditPhase::Refused => "refused",
        AuditPhase::Noted => "noted",
    }
}

fn row(row: &AuditRow) -> words_of::AuditRow {
    let entry = &row.entry;
    words_of::AuditRow {
        sequence: row.seq,
        at: entry.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        actor: actor(&entry.principal),
        action: entry.action.clone(),
        targets: entry.targets.clone(),
        approval: entry.approval.as_ref().map(ToString::to_string),
        operation_id: entry.operation.as_ref().map(ToString::to_string),
        trace: entry.trace.clone(),
        outcome: outcome(entry.phase).to_owned(),
        note: note(&entry.detail),
    }
}

/// The part of a row's detail that is made for people.
pub fn note(detail: &serde_json::Value) -> Option<String> {
    ["note", "reason", "message", "error", "question"]
        .iter()
        .find_map(|key| detail[*key].as_str())
        .map(str::to_owned)
}

fn problem(verified: &Verification) -> Option<String> {
    (!verified.is_whole()).then(|| {
        let found: Vec<&str> = verified.findings.iter().map(|finding| finding.text.as_str()).collect();
        words::list(&found, 5)
    })
}
