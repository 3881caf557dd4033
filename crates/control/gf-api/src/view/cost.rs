//! Spend of a period against its projection, both for the same pairs and the same time.
//!
//! Actual is what each instance costs at its provider while it existed; projected is the list price of each pair's
//! tier while it existed. Nothing is extrapolated.

use super::words;
use gf_model::{
    Cents, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::{Instance, InstanceState},
};
use gf_planner::waste::{self, Spend, Usage, Waste};
use gf_tools::{CostReportReply, cost::WasteItem};
use std::collections::BTreeMap;

/// Seconds of a month of 30 days, on which prices are based.
const MONTH: i64 = 30 * 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => MONTH,
        }
    }
}

pub fn report(fleet: &Fleet, period: Period, now: Timestamp) -> CostReportReply {
    let until = now.as_second();
    let from = until - period.seconds();
    let during = |began: Timestamp, ended: i64| (ended.min(until) - began.as_second().max(from)).max(0);
    let actual: Cents = fleet
        .instances
        .values()
        .map(|instance| instance.monthly_cost.pro_rata(during(instance.created_at, end_of(instance)), MONTH))
        .sum();
    let served = |gateway: &&Gateway| gateway.desired == Desired::Pair;
    let projected: Cents = fleet
        .gateways
        .values()
        .filter(served)
        .map(|gateway| gateway.tier.list_price().pro_rata(during(gateway.created_at, until), MONTH))
        .sum();
    let spend = Spend { actual, projected };
    let waste = waste(fleet, now);
    let oldest = fleet.gateways.values().filter(served).map(|gateway| gateway.created_at).min();
    let rate = gf_planner::cost::monthly(fleet);
    let recoverable = Cents(waste.iter().map(|item| item.monthly_cents).sum());
    let mut reply = CostReportReply {
        summary: String::new(),
        period: period.name().to_owned(),
        from: Timestamp::from_second(from).unwrap_or(now).to_string(),
        to: now.to_string(),
        actual_cents: actual.0,
        actual: actual.to_string(),
        projected_cents: projected.0,
        projected: projected.to_string(),
        deviation_percent: spend.deviation_permille().map(|permille| permille as f64 / 10.0),
        anomaly: spend.is_anomaly(),
        monthly_run_rate_cents: rate.0,
        monthly_run_rate: words::per_month(rate),
        waste,
        recoverable_cents: recoverable.0,
        recoverable: words::per_month(recoverable),
        low_confidence: oldest
            .is_none_or(|oldest| until - oldest.as_second() < i64::from(waste::DAYS_NEEDED) * 86_400),
    };
    reply.summary = summary(&reply);
    reply
}

/// A deleted instance stopped costing when it was deleted.
fn end_of(instance: &Instance) -> i64 {
    match instance.state {
        InstanceState::Deleted => instance.state_since.as_second(),
        _ => i64::MAX,
    }
}

/// What the planner finds in what is measured here: activity, but neither a week of loads nor setup fees. So what is
/// idle is told; over-sized pairs and moves to another provider are not claimed.
fn waste(fleet: &Fleet, now: Timestamp) -> Vec<WasteItem> {
    let known = |gateway: &Gateway| Usage {
        days_of_data: ((now.as_second() - gateway.created_at.as_second()) / 86_400).clamp(0, 365) as u32,
        last_activity: gateway.last_activity,
        peak_cpu_percent: None,
        peak_memory_percent: None,
        tenure_months: 1,
    };
    let usage = fleet.gateways.values().map(|gateway| (gateway.account.clone(), known(gateway))).collect();
    let found = waste::find(fleet, &usage, &BTreeMap::new(), now);
    let is_idle = |waste: &Waste| matches!(waste, Waste::Idle { .. });
    let (count, saves) = found.total(is_idle);
    if count == 0 {
        return Vec::new();
    }
    let idle = found.sure.iter().filter(|finding| is_idle(&finding.waste));
    vec![WasteItem {
        kind: "idle".to_owned(),
        count: count as u64,
        account_ids: idle.map(|finding| finding.account.to_string()).collect(),
        monthly_cents: saves.0,
        monthly: words::per_month(saves),
        recommendation: format!(
            "no user activity for {} days or more: tear down with an archive",
            waste::IDLE_DAYS
        ),
        to_tier: None,
    }]
}

pub fn summary(reply: &CostReportReply) -> String {
    let deviation = match reply.deviation_percent {
        None => "there is no projection".to_owned(),
        Some(percent) if percent > 0.0 => format!("{percent} % over"),
        Some(percent) if percent < 0.0 => format!("{} % under", -percent),
        Some(_) => "as projected".to_owned(),
    };
    let anomaly = if reply.anomaly { " This is an anomaly: more than 15 % over." } else { "" };
    let waste = if reply.waste.is_empty() {
        " No waste found.".to_owned()
    } else {
        let items: Vec<String> =
            reply.waste.iter().map(|item| format!("{} {} {}", item.count, item.kind, item.monthly)).collect();
        format!(" Recoverable {}: {}.", reply.recoverable, items.join(", "))
    };
    let confidence = if reply.low_confidence { " Less than seven days of data: low confidence." } else { "" };
    format!(
        "Last {}: {} spent against {} projected, {deviation}.{anomaly} Run rate {}.{waste}{confidence}",
        reply.period, reply.actual, reply.projected, reply.monthly_run_rate
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_fleet_costs_nothing_and_projects_nothing() {
        let reply = report(&Fleet::default(), Period::Week, Timestamp::from_second(MONTH).unwrap());
        assert_eq!((reply.actual_cents, reply.projected_cents, reply.deviation_percent), (0, 0, None));
        assert!(reply.low_confidence && !reply.anomaly);
    }
}
