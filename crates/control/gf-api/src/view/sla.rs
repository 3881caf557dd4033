//! The service that accounts had in a month: every second counted once, and what nobody saw told as unknown.

use crate::{Problem, view::words};
use gf_model::{Timestamp, fleet::Fleet, gateway::Gateway, served::ServiceLog};
use gf_planner::sla::{self, Looked, Month, Verdict};
use gf_tools::sla::SlaLine;

/// A month that somebody asks for; without one the month that it is.
pub fn month_named(given: Option<&str>, now: Timestamp) -> Result<Month, Problem> {
    let Some(given) = given else { return Ok(Month::of(now)) };
    Month::parse(given).ok_or_else(|| {
        Problem::bad_request("bad_month", format!("{given:?} is no month"))
            .at("month", given)
            .fix("write it as 2026-10")
    })
}

/// Parts per million as percent; exact.
pub fn percent(ppm: u32) -> f64 {
    f64::from(ppm) / 10_000.0
}

pub fn line(fleet: &Fleet, gateway: &Gateway, looked: &Looked, month: Month) -> (Verdict, SlaLine) {
    let served = looked.served(gateway, &ServiceLog::of(fleet, &gateway.account));
    let sla = sla::sla(gateway.tier, &served, month);
    let line = SlaLine {
        account_id: gateway.account.to_string(),
        tier: gateway.tier.to_string(),
        verdict: sla.verdict.name().to_owned(),
        target_percent: percent(sla.target_ppm),
        achieved_percent: sla.achieved_ppm.map(percent),
        up_seconds: served.up,
        down_seconds: served.down,
        planned_seconds: served.planned,
        unknown_seconds: served.unknown,
        outside_seconds: served.outside,
        to_come_seconds: served.to_come,
        seconds_left: sla.seconds_left,
    };
    (sla.verdict, line)
}

/// What was not service, in a sentence.
pub fn lost(line: &SlaLine) -> String {
    let parts = [
        (line.down_seconds, "down"),
        (line.planned_seconds, "planned"),
        (line.unknown_seconds, "unknown (the control plane did not look)"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(seconds, _)| *seconds > 0)
        .map(|(seconds, what)| format!("{} {what}", words::seconds(seconds as f64)))
        .collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}
