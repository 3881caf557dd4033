//! `gf_schedule`: reports that come by themselves, listed, added and removed.

use super::Call;
use crate::{Problem, problem::parse_id, view::words};
use gf_model::{
    fleet::Fleet,
    notice::Recipient,
    schedule::{BadWhen, Report, Schedule, When},
};
use gf_requests::Which;
use gf_tools::{ScheduleParams, ScheduleReply, schedule::ScheduleEntry};
use jiff::tz::TimeZone;

pub(super) async fn schedule(call: &Call, params: ScheduleParams) -> Result<ScheduleReply, Problem> {
    let caller = call.caller();
    let what = params.what.as_deref().map(report).transpose()?;
    let done = match params.action.as_str() {
        "list" => None,
        "add" => {
            let what = what.ok_or_else(|| missing("what", "say what is to be sent"))?;
            let when = params.when.as_deref().unwrap_or(what.usual());
            let when: When = when.parse().map_err(|why: BadWhen| {
                Problem::bad_request("malformed_when", why.to_string()).at("when", when).fix(BadWhen::FIX)
            })?;
            if call.options.dry_run {
                None
            } else {
                Some(("Scheduled", call.api.requests.schedule(&caller, what, when).await?))
            }
        }
        "remove" => {
            let which = match (params.id.as_deref(), what) {
                (Some(id), _) => Which::Id(parse_id("id", id)?),
                (None, Some(what)) => Which::Report(what),
                (None, None) => return Err(missing("id", "say which entry, by id or by what it sends")),
            };
            if call.options.dry_run {
                None
            } else {
                Some(("Removed", call.api.requests.unschedule(&caller, &which).await?))
            }
        }
        other => {
            return Err(Problem::bad_request("unknown_action", format!("{other:?} is not an action"))
                .at("action", other)
                .fix("use list, add or remove"));
        }
    };
    let zone = call.zone();
    let entries = call.api.store.read(|fleet| entries(fleet, zone.as_ref()));
    let summary = summary(done.as_ref(), &entries, call.options.dry_run);
    Ok(ScheduleReply { summary, entries })
}

fn report(given: &str) -> Result<Report, Problem> {
    given.parse().map_err(|()| {
        let known = Report::ALL.map(Report::name);
        Problem::bad_request("unknown_report", format!("{given:?} is not a report"))
            .at("what", given)
            .fix(format!("use {}", words::list(&known, known.len())))
    })
}

fn missing(field: &str, fix: &str) -> Problem {
    Problem {
        field: Some(field.to_owned()),
        ..Problem::bad_request("missing_field", format!("{field} is missing")).fix(fix)
    }
}

/// The soonest first.
fn entries(fleet: &Fleet, zone: Option<&TimeZone>) -> Vec<ScheduleEntry> {
    let mut found: Vec<&Schedule> = fleet.schedules.values().collect();
    found.sort_by_key(|schedule| (schedule.next_run, &schedule.id));
    found.into_iter().map(|schedule| entry(schedule, zone)).collect()
}

fn entry(schedule: &Schedule, zone: Option<&TimeZone>) -> ScheduleEntry {
    ScheduleEntry {
        id: schedule.id.to_string(),
        what: schedule.what.name().to_owned(),
        when: schedule.when.to_string(),
        next_run: Some(schedule.next_run.to_string()),
        next_run_local: zone.map(|zone| words::local(schedule.next_run, zone)),
        last_run: schedule.last_run.map(|at| at.to_string()),
        to: match &schedule.recipient {
            Recipient::Conversation { conversation } => conversation.clone(),
            Recipient::Operators | Recipient::Companion { .. } => "operators".to_owned(),
        },
    }
}

fn summary(done: Option<&(&str, Schedule)>, entries: &[ScheduleEntry], dry_run: bool) -> String {
    let total = match entries {
        [] => "No report is scheduled: 0 entries.".to_owned(),
        [next, ..] => {
            let count = words::count(entries.len() as u64, "report is", "reports are");
            let at = next.next_run.as_deref().unwrap_or_default();
            let local = next.next_run_local.as_ref().map(|local| format!(" ({local})")).unwrap_or_default();
            format!("{count} scheduled; the next is the {} at {at}{local}.", next.what)
        }
    };
    match done {
        None if dry_run => format!("Nothing was done (dry run). {total}"),
        None => total,
        Some((did, schedule)) => {
            format!("{did} the {} ({}), {}. {total}", schedule.what.name(), schedule.id, schedule.when)
        }
    }
}
