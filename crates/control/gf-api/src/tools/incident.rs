//! `gf_incident_report`: records of what went wrong. Writing one repairs nothing and needs no approval.

use super::Call;
use crate::{Problem, problem::parse_id, view::words};
use axum::http::StatusCode;
use gf_model::{
    AccountId, IncidentId, InstanceId,
    audit::AuditEntry,
    fleet::Fleet,
    incident::{Incident, IncidentEntry, IncidentState},
    instance::InstanceState,
    notice::Severity,
    provider::Provider,
};
use gf_policy::limits;
use gf_store::TransactError;
use gf_tools::{
    IncidentReportParams, IncidentReportReply,
    incident::{IncidentLine, TimelineEntry},
};

const LONGEST_TEXT: usize = 2000;

pub(crate) async fn report(
    call: &Call,
    params: IncidentReportParams,
) -> Result<IncidentReportReply, Problem> {
    match params.action.as_str() {
        "list" => call.api.store.read(|fleet| list(fleet, &params)),
        "get" => {
            let id = required_id(&params)?;
            call.api.store.read(|fleet| {
                let incident = fleet.incidents.get(&id).ok_or_else(|| Problem::not_found("incident", &id))?;
                Ok(one(fleet, incident))
            })
        }
        "create" | "update" => write(call, params).await,
        other => Err(Problem::bad_request("unknown_action", format!("{other:?} is not an action"))
            .at("action", other)
            .fix("use list, get, create or update")),
    }
}

fn required_id(params: &IncidentReportParams) -> Result<IncidentId, Problem> {
    let given = params.id.as_deref().ok_or_else(|| {
        Problem::bad_request("missing_field", "which incident?")
            .at("id", "")
            .fix("give an id such as inc-03aa")
    })?;
    parse_id("id", given)
}

fn list(fleet: &Fleet, params: &IncidentReportParams) -> Result<IncidentReportReply, Problem> {
    let wanted = params.status.as_deref().map(status_named).transpose()?;
    let mut found: Vec<_> =
        fleet.incidents.values().filter(|i| wanted.is_none_or(|w| i.state == w)).collect();
    found.sort_by_key(|incident| std::cmp::Reverse(incident.opened_at));
    let open = open(fleet);
    let newest = found.first().map(|i| format!(" Newest: {} {:?}.", i.id, i.title)).unwrap_or_default();
    let summary =
        format!("{}, {open} open.{newest}", words::count(found.len() as u64, "incident", "incidents"));
    Ok(IncidentReportReply { summary, incidents: found.iter().map(|i| line(fleet, i)).collect(), open })
}

fn one(fleet: &Fleet, incident: &Incident) -> IncidentReportReply {
    let line = line(fleet, incident);
    let summary = format!(
        "{} {:?} is {}: {} affected, {} without a gateway; {} in its timeline.",
        line.id,
        line.title,
        line.status,
        words::count(line.affected_accounts, "account", "accounts"),
        line.without_gateway,
        words::count(line.timeline.len() as u64, "entry", "entries"),
    );
    IncidentReportReply { summary, open: open(fleet), incidents: vec![line] }
}

fn open(fleet: &Fleet) -> u64 {
    fleet.incidents.values().filter(|incident| incident.state == IncidentState::Open).count() as u64
}

fn line(fleet: &Fleet, incident: &Incident) -> IncidentLine {
    let severity = match incident.severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let subjects = incident.accounts.iter().map(ToString::to_string);
    let without = |account: &&AccountId| {
        fleet.primary_of(account).is_none_or(|primary| primary.state != InstanceState::Active)
    };
    IncidentLine {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        severity: severity.to_owned(),
        status: if incident.state == IncidentState::Open { "open" } else { "resolved" }.to_owned(),
        opened_at: incident.opened_at.to_string(),
        closed_at: incident.resolved_at.map(|at| at.to_string()),
        subjects: subjects.chain(incident.instances.iter().map(ToString::to_string)).collect(),
        affected_accounts: incident.accounts.len() as u64,
        without_gateway: incident.accounts.iter().filter(without).count() as u64,
        timeline: incident
            .timeline
            .iter()
            .map(|entry| TimelineEntry { at: entry.at.to_string(), text: entry.text.clone() })
            .collect(),
        root_cause: incident.root_cause.clone(),
        actions: incident.actions.clone(),
    }
}

fn status_named(given: &str) -> Result<IncidentState, Problem> {
    match given {
        "open" => Ok(IncidentState::Open),
        "mitigated" | "resolved" => Ok(IncidentState::Resolved),
        other => {
            Err(Problem::bad_request("unknown_status", format!("{other:?} is not a status of an incident"))
                .at("status", other)
                .fix("use open or resolved"))
        }
    }
}

fn severity_named(given: &str) -> Result<Severity, Problem> {
    match given {
        "critical" | "high" => Ok(Severity::Critical),
        "warning" => Ok(Severity::Warning),
        "info" => Ok(Severity::Info),
        other => Err(Problem::bad_request("unknown_severity", format!("{other:?} is not a severity"))
            .at("severity", other)
            .fix("use critical, high, warning or info")),
    }
}

fn short(field: &str, text: &str) -> Result<(), Problem> {
    if text.chars().count() <= LONGEST_TEXT {
        return Ok(());
    }
    Err(Problem::bad_request("text_too_long", format!("{field} is longer than {LONGEST_TEXT} characters"))
        .at(field, text)
        .fix("shorten it"))
}

async fn write(call: &Call, params: IncidentReportParams) -> Result<IncidentReportReply, Problem> {
    let texts = [("title", &params.title), ("entry", &params.entry), ("rootCause", &params.root_cause)];
    for (field, text) in texts {
        text.as_deref().map(|text| short(field, text)).transpose()?;
    }
    for action in params.actions.iter().flatten() {
        short("actions", action)?;
    }
    let now = call.api.clock.now();
    let bits = call.api.entropy.next_u64();
    let principal = call.who.principal.clone();
    let done = call.api.store.transact(|fleet, tx| {
        let mut incident = if params.action == "create" {
            create(&params, IncidentId::from_bits(bits, 6), now)?
        } else {
            let id = required_id(&params)?;
            fleet.incidents.get(&id).cloned().ok_or_else(|| Problem::not_found("incident", &id))?
        };
        update(fleet, &mut incident, &params, now)?;
        tx.audit(AuditEntry::noted(
            now,
            principal,
            format!("incident.{}", params.action),
            vec![incident.id.to_string()],
            serde_json::json!({"note": incident.title}),
        ));
        tx.put(incident.clone());
        Ok(incident)
    });
    match done.await {
        Ok(incident) => Ok(call.api.store.read(|fleet| one(fleet, &incident))),
        Err(TransactError::Refused(problem)) => Err(problem),
        Err(TransactError::Store(why)) => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", why.to_string()))
        }
    }
}

fn create(
    params: &IncidentReportParams,
    id: IncidentId,
    now: gf_model::Timestamp,
) -> Result<Incident, Problem> {
    let title = params.title.clone().filter(|title| !title.trim().is_empty()).ok_or_else(|| {
        Problem::bad_request("missing_field", "an incident needs a title")
            .at("title", "")
            .fix("give a short title")
    })?;
    Ok(Incident::opened(id, title, Severity::Warning, now))
}

fn update(
    fleet: &Fleet,
    incident: &mut Incident,
    params: &IncidentReportParams,
    now: gf_model::Timestamp,
) -> Result<(), Problem> {
    if let Some(severity) = params.severity.as_deref() {
        incident.severity = severity_named(severity)?;
    }
    if let Some(status) = params.status.as_deref() {
        incident.state = status_named(status)?;
        incident.resolved_at = (incident.state == IncidentState::Resolved).then_some(now);
    }
    for subject in params.subjects.iter().flatten() {
        add_subject(fleet, incident, subject)?;
    }
    let widespread = incident.accounts.len() > limits::USERS;
    if params.subjects.is_some() && (widespread || names_a_place(fleet, params)) {
        may_be_widespread(fleet, incident, params, now)?;
    }
    incident.timeline.extend(params.entry.clone().map(|text| IncidentEntry { at: now, text }));
    incident.root_cause = params.root_cause.clone().or_else(|| incident.root_cause.take());
    incident.actions.extend(params.actions.iter().flatten().cloned());
    Ok(())
}

fn names_a_place(fleet: &Fleet, params: &IncidentReportParams) -> bool {
    let is_one = |given: &String| !concerned(fleet, given).is_empty();
    params.subjects.iter().flatten().any(is_one)
}

/// The providers that a subject means: itself, or those of a region.
fn concerned<'a>(fleet: &'a Fleet, given: &str) -> Vec<&'a Provider> {
    let name = given.trim().to_ascii_lowercase();
    let has = |provider: &&Provider| {
        provider.id.0 == name || provider.regions.iter().any(|offer| offer.region.0 == name)
    };
    fleet.providers.values().filter(has).collect()
}

/// Many gateways that fail together may be one broken observer: whoever sells their places is asked first.
fn may_be_widespread(
    fleet: &Fleet,
    incident: &Incident,
    params: &IncidentReportParams,
    now: gf_model::Timestamp,
) -> Result<(), Problem> {
    let mut providers: Vec<&Provider> =
        params.subjects.iter().flatten().flat_map(|given| concerned(fleet, given)).collect();
    if providers.is_empty() {
        let homes = incident.accounts.iter().filter_map(|account| fleet.primary_of(account));
        providers = homes.filter_map(|primary| fleet.providers.get(&primary.provider)).collect();
    }
    for provider in providers {
        gf_policy::may_declare_widespread(provider.status_asked_at, now).map_err(|refused| {
            Problem::new(StatusCode::CONFLICT, "provider_not_asked", refused.message)
                .at("subjects", &provider.id.0)
                .fix(refused.fix.unwrap_or_default())
        })?;
    }
    Ok(())
}

/// A provider or a region stands for its accounts, so that "affected" is counted and not claimed.
fn add_subject(fleet: &Fleet, incident: &mut Incident, given: &str) -> Result<(), Problem> {
    let instance = given.parse::<InstanceId>().ok().and_then(|id| fleet.instances.get(&id));
    let account = given.parse::<AccountId>().ok().and_then(|id| fleet.gateways.get(&id));
    if let Some(instance) = instance {
        push(&mut incident.instances, instance.id.clone());
        push(&mut incident.accounts, instance.account.clone());
    } else if let Some(gateway) = account {
        push(&mut incident.accounts, gateway.account.clone());
    } else {
        let name = given.trim().to_ascii_lowercase();
        let there: Vec<_> = fleet
            .live_instances()
            .filter(|i| i.provider.0 == name || i.region.0 == name)
            .map(|i| &i.account)
            .collect();
        let known =
            fleet.providers.values().any(|p| p.id.0 == name || p.regions.iter().any(|r| r.region.0 == name));
        if !known && there.is_empty() {
            return Err(
                Problem::not_found("subject", given).fix("give an account, instance, provider or region")
            );
        }
        there.into_iter().cloned().for_each(|account| push(&mut incident.accounts, account));
    }
    Ok(())
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
