//! Spend of a period against its projection, both for the same pairs and the same time.
//!
//! Actual is what each instance costs at its provider while it existed; projected is the budget of the same time, or,
//! where nobody set one, the list price of each pair's tier while it existed. Nothing is extrapolated.

use super::words;
use gf_model::{
    Cents, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::{Instance, InstanceState},
};
use gf_planner::waste::{self, Finding, Spend, Usage, Waste};
use gf_tools::{CostReportReply, cost::WasteItem};

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

/// What a month was planned to cost, as far as anybody said.
pub type Budget = Option<Cents>;

pub fn report(fleet: &Fleet, budget: Budget, period: Period, now: Timestamp) -> CostReportReply {
    let until = now.as_second();
    let from = until - period.seconds();
    let during = |began: Timestamp, ended: i64| (ended.min(until) - began.as_second().max(from)).max(0);
    let instances = fleet.instances.values();
    let actual =
        sum(instances.map(|instance| (instance.monthly_cost, during(instance.created_at, end_of(instance)))));
    let served = |gateway: &&Gateway| gateway.desired == Desired::Pair;
    let pairs = || fleet.gateways.values().filter(served);
    let oldest = pairs().map(|gateway| gateway.created_at).min();
    // A budget is for whole months; of a fleet that is younger than the period only its own time counts.
    let projected = match budget {
        Some(budget) => sum(oldest.map(|oldest| (budget, during(oldest, until))).into_iter()),
        None => sum(pairs().map(|gateway| (gateway.tier.list_price(), during(gateway.created_at, until)))),
    };
    let spend = Spend { actual, projected };
    let usage = waste::measured(fleet, now);
    let found = waste::find(fleet, &usage, now);
    let unknown = |is_unknown: &dyn Fn(&Usage) -> bool| {
        pairs().filter(|gateway| usage.get(&gateway.account).is_none_or(is_unknown)).count() as u64
    };
    let rate = fleet.loads().monthly();
    let recoverable = found.recoverable();
    let mut reply = CostReportReply {
        summary: String::new(),
        period: period.name().to_owned(),
        from: Timestamp::from_second(from).unwrap_or(now).to_string(),
        to: now.to_string(),
        actual_cents: actual.0,
        actual: actual.to_string(),
        projected_cents: projected.0,
        projected: projected.to_string(),
        projection: if budget.is_some() { "budget" } else { "list prices" }.to_owned(),
        deviation_percent: spend.deviation_permille().map(|permille| permille as f64 / 10.0),
        anomaly: spend.is_anomaly(),
        monthly_run_rate_cents: rate.0,
        monthly_run_rate: words::per_month(rate),
        waste: items(&found.sure),
        unsure: items(&found.unsure),
        activity_unknown: unknown(&|usage| usage.last_activity.is_none()),
        load_unknown: unknown(&|usage| {
            usage.days_measured < waste::DAYS_NEEDED
                || usage.peak_cpu_percent.is_none()
                || usage.peak_memory_percent.is_none()
        }),
        recoverable_cents: recoverable.0,
        recoverable: words::per_month(recoverable),
        low_confidence: oldest
            .is_none_or(|oldest| until - oldest.as_second() < i64::from(waste::DAYS_NEEDED) * 86_400),
    };
    reply.summary = summary(&reply);
    reply
}

/// Monthly prices over their seconds, rounded once: the cents of a thousand instances would add up to dollars.
fn sum(parts: impl Iterator<Item = (Cents, i64)>) -> Cents {
    let total: i128 = parts.map(|(price, seconds)| i128::from(price.0) * i128::from(seconds)).sum();
    let month = i128::from(MONTH);
    Cents(((2 * total + month).div_euclid(2 * month)) as i64)
}

/// A deleted instance stopped costing when it was deleted.
fn end_of(instance: &Instance) -> i64 {
    match instance.state {
        InstanceState::Deleted => instance.state_since.as_second(),
        _ => i64::MAX,
    }
}

/// Findings of one kind, and of one way to save, together.
fn items(found: &[Finding]) -> Vec<WasteItem> {
    let mut items: Vec<WasteItem> = Vec::new();
    for finding in found {
        let fresh = item(&finding.waste);
        let same = |item: &WasteItem| {
            (&item.kind, &item.to_tier, &item.from_provider, &item.to_provider)
                == (&fresh.kind, &fresh.to_tier, &fresh.from_provider, &fresh.to_provider)
        };
        let place = items.iter().position(same);
        let place = place.unwrap_or_else(|| {
            items.push(fresh);
            items.len() - 1
        });
        let item = &mut items[place];
        item.count += 1;
        item.account_ids.push(finding.account.to_string());
        item.monthly_cents += finding.saves.0;
        item.monthly = words::per_month(Cents(item.monthly_cents));
    }
    items.sort_by_key(|item| std::cmp::Reverse(item.monthly_cents));
    items
}

fn item(waste: &Waste) -> WasteItem {
    let item = |kind: &str, recommendation: String| WasteItem {
        kind: kind.to_owned(),
        recommendation,
        ..WasteItem::default()
    };
    match waste {
        Waste::Idle { .. } => item(
            "idle",
            format!("no user activity for {} days or more: tear down with an archive", waste::IDLE_DAYS),
        ),
        Waste::Oversized { to } => WasteItem {
            to_tier: Some(to.to_string()),
            ..item(
                "oversized",
                format!("CPU and memory below {} % all week: resize to {to}", waste::SMALL_USE),
            )
        },
        Waste::Arbitrage { from, to } => WasteItem {
            from_provider: Some(from.to_string()),
            to_provider: Some(to.to_string()),
            ..item("arbitrage", format!("the same tier costs less at {to} than at {from}"))
        },
    }
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
        " No waste found in what is known.".to_owned()
    } else {
        let items: Vec<String> =
            reply.waste.iter().map(|item| format!("{} {} {}", item.count, item.kind, item.monthly)).collect();
        format!(" Recoverable {}: {}.", reply.recoverable, items.join(", "))
    };
    let confidence = if reply.low_confidence { " Less than seven days of data: low confidence." } else { "" };
    let unsure: u64 = reply.unsure.iter().map(|item| item.count).sum();
    let unsure = match unsure {
        0 => String::new(),
        n => format!(
            " {} may be waste; there is too little data to act on it.",
            words::count(n, "account", "accounts")
        ),
    };
    let unknown = match (reply.activity_unknown, reply.load_unknown) {
        (0, 0) => String::new(),
        (activity, load) => {
            format!(" Unknown: the activity of {activity} and the week's load of {load} accounts.")
        }
    };
    format!(
        "Last {}: {} spent against {} projected from {}, {deviation}.{anomaly} Run rate {}.{waste}{unsure}{unknown}{confidence}",
        reply.period,
        reply.actual,
        reply.projected,
        if reply.projection == "budget" { "the budget" } else { "list prices" },
        reply.monthly_run_rate
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_fleet_costs_nothing_and_projects_nothing() {
        let reply = report(&Fleet::default(), None, Period::Week, Timestamp::from_second(MONTH).unwrap());
        assert_eq!((reply.actual_cents, reply.projected_cents, reply.deviation_percent), (0, 0, None));
        assert!(reply.low_confidence && !reply.anomaly);
    }

    #[test]
    fn the_shipped_fleet_gives_its_known_numbers_out_of_its_own_records() {
        use gf_planner::fixture;
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let mut fleet = fixture::fleet(now);
        for usage in fixture::records_of_use(now) {
            fleet.apply(usage.into());
        }
        let reply = report(&fleet, Some(fixture::MONTHLY_BUDGET), Period::Week, now);
        assert_eq!((reply.actual.as_str(), reply.projected.as_str()), ("$1,247", "$1,190"));
        assert_eq!((reply.deviation_percent, reply.anomaly), (Some(4.8), false));
        let found: Vec<_> =
            reply.waste.iter().map(|item| (item.kind.as_str(), item.count, item.monthly.as_str())).collect();
        assert_eq!(
            found,
            [("idle", 31, "$341/month"), ("oversized", 18, "$108/month"), ("arbitrage", 6, "$43/month")]
        );
        assert_eq!(reply.recoverable, "$492/month");
        assert_eq!((reply.activity_unknown, reply.load_unknown), (0, 0));
    }

    #[test]
    fn what_nobody_measured_is_unknown_and_not_waste() {
        use gf_planner::fixture;
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let mut fleet = fixture::fleet(now);
        for gateway in fleet.gateways.values_mut() {
            gateway.last_activity = None;
        }
        let reply = report(&fleet, None, Period::Week, now);
        assert_eq!((reply.activity_unknown, reply.load_unknown), (847, 847));
        assert!(reply.waste.iter().all(|item| item.kind == "arbitrage"), "{:?}", reply.waste);
        assert!(reply.summary.contains("Unknown: the activity of 847"), "{}", reply.summary);
    }
}
