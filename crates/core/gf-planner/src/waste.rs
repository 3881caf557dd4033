//! What the fleet costs against what it should cost, and what is paid for nothing.

use crate::cost;
use gf_model::{
    AccountId, Cents, Tier, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::Instance,
    provider::{Pool, ProviderId},
};
use std::collections::BTreeMap;

/// No user activity for this long is idle.
pub const IDLE_DAYS: i64 = 14;
/// CPU and memory below this all week is over-sized, in percent.
pub const SMALL_USE: f32 = 20.0;
/// With less data than this nothing is recommended.
pub const DAYS_NEEDED: u32 = 7;
/// More than this above the projection is an anomaly, in percent.
pub const ANOMALY_PERCENT: i64 = 15;
/// A move to another provider that saves less than this a month is not worth its risk.
pub const MOVE_SAVES: Cents = Cents::dollars(5);

/// What was measured of an account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Since when its activity and its prices are known, in whole days.
    pub days_known: u32,
    /// Whole days of the last week in which its load was measured.
    pub days_measured: u32,
    pub last_activity: Option<Timestamp>,
    /// The highest of the week, of either instance.
    pub peak_cpu_percent: Option<f32>,
    pub peak_memory_percent: Option<f32>,
    /// Whole months since the pair was made, at least one.
    pub tenure_months: u32,
}

/// Money of one period, both sides up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    pub actual: Cents,
    pub projected: Cents,
}

impl Spend {
    /// What `days` of a month of `of_days` cost at a monthly rate each.
    pub fn pro_rated(monthly: Cents, budget: Cents, days: i64, of_days: i64) -> Self {
        Self { actual: monthly.pro_rata(days, of_days), projected: budget.pro_rata(days, of_days) }
    }

    /// More than fifteen percent above the projection. Under-spend never is.
    pub fn is_anomaly(&self) -> bool {
        let over = i128::from((self.actual - self.projected).0);
        self.projected > Cents(0) && over * 100 > i128::from(self.projected.0) * i128::from(ANOMALY_PERCENT)
    }

    /// Tenths of a percent above (or below) the projection.
    pub fn deviation_permille(&self) -> Option<i64> {
        (self.projected > Cents(0)).then(|| (self.actual - self.projected).pro_rata(1000, self.projected.0).0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waste {
    Idle {
        days: i64,
    },
    Oversized {
        to: Tier,
    },
    /// One instance of the pair is cheaper elsewhere at this tenure.
    Arbitrage {
        from: ProviderId,
        to: ProviderId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub account: AccountId,
    pub waste: Waste,
    pub saves: Cents,
}

/// Everything that was found, each account once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Enough is known to act on these.
    pub sure: Vec<Finding>,
    /// Less than seven days of data: told, never recommended.
    pub unsure: Vec<Finding>,
}

impl Findings {
    pub fn recoverable(&self) -> Cents {
        self.sure.iter().map(|finding| finding.saves).sum()
    }

    /// Count and monthly sum of one kind.
    pub fn total(&self, of_kind: impl Fn(&Waste) -> bool) -> (usize, Cents) {
        let matching = self.sure.iter().filter(|finding| of_kind(&finding.waste));
        matching.fold((0, Cents(0)), |(count, sum), finding| (count + 1, sum + finding.saves))
    }
}

/// What the fleet's own records say was measured of each account.
pub fn measured(fleet: &Fleet, now: Timestamp) -> BTreeMap<AccountId, Usage> {
    let of = |gateway: &Gateway| {
        let days = (now.duration_since(gateway.created_at).as_secs() / 86_400).clamp(0, 36_500) as u32;
        let load = fleet.usage.get(&gateway.account);
        let peak = load.map(|load| load.peak(now)).unwrap_or_default();
        Usage {
            days_known: days,
            days_measured: load.map_or(0, |load| load.days_of_data(now)),
            last_activity: gateway.last_activity,
            peak_cpu_percent: peak.cpu_percent,
            peak_memory_percent: peak.memory_percent,
            tenure_months: (days / 30).max(1),
        }
    };
    fleet.gateways.values().map(|gateway| (gateway.account.clone(), of(gateway))).collect()
}

/// Looks at every pair. What a provider charges once for an instance weighs more the younger the pair is.
pub fn find(fleet: &Fleet, usage: &BTreeMap<AccountId, Usage>, now: Timestamp) -> Findings {
    let mut findings = Findings::default();
    for gateway in fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair) {
        let Some(usage) = usage.get(&gateway.account) else { continue };
        let found = idle(fleet, gateway, usage, now)
            .or_else(|| oversized(fleet, gateway, usage))
            .or_else(|| arbitrage(fleet, gateway, usage));
        let Some((waste, saves)) = found else { continue };
        let days =
            if matches!(waste, Waste::Oversized { .. }) { usage.days_measured } else { usage.days_known };
        let list = if days < DAYS_NEEDED { &mut findings.unsure } else { &mut findings.sure };
        list.push(Finding { account: gateway.account.clone(), waste, saves });
    }
    findings
}

fn pair<'a>(fleet: &'a Fleet, gateway: &Gateway) -> impl Iterator<Item = &'a Instance> {
    let both = [fleet.primary(gateway), fleet.standby(gateway)];
    both.into_iter().flatten().filter(|instance| instance.is_paid())
}

fn idle(fleet: &Fleet, gateway: &Gateway, usage: &Usage, now: Timestamp) -> Option<(Waste, Cents)> {
    // Without any sign of activity it is unknown, and unknown is not idle.
    let last = usage.last_activity.max(gateway.last_activity)?;
    let seconds = now.duration_since(last).as_secs();
    let saves = pair(fleet, gateway).map(|instance| instance.monthly_cost).sum();
    (seconds >= IDLE_DAYS * 86_400).then_some((Waste::Idle { days: seconds / 86_400 }, saves))
}

fn oversized(fleet: &Fleet, gateway: &Gateway, usage: &Usage) -> Option<(Waste, Cents)> {
    let small = |peak: Option<f32>| peak.is_some_and(|peak| peak < SMALL_USE);
    if !small(usage.peak_cpu_percent) || !small(usage.peak_memory_percent) {
        return None;
    }
    let to = Tier::ALL.into_iter().rev().find(|tier| *tier < gateway.tier)?;
    let saves: Cents = pair(fleet, gateway)
        .map(|instance| instance.monthly_cost - cost::price(fleet, &instance.provider, to))
        .sum();
    (saves > Cents(0)).then_some((Waste::Oversized { to }, saves))
}

fn arbitrage(fleet: &Fleet, gateway: &Gateway, usage: &Usage) -> Option<(Waste, Cents)> {
    // A fee that nobody knows may eat up what a move saves.
    let once = |provider: &ProviderId| {
        let fee = fleet.providers.get(provider)?.setup_fee?;
        Some(fee.pro_rata(1, i64::from(usage.tenure_months.max(1))))
    };
    let both: Vec<_> = pair(fleet, gateway).collect();
    let moves = both.iter().flat_map(|instance| {
        let taken: Vec<_> = both.iter().map(|other| &other.provider).collect();
        let others = fleet.providers.values().filter(move |other| !taken.contains(&&other.id));
        others
            .filter(|other| other.pool != Pool::Paused && cost::sells(fleet, &other.id, instance.tier))
            .filter_map(|other| {
                let here = instance.monthly_cost + once(&instance.provider)?;
                let there = cost::price(fleet, &other.id, instance.tier) + once(&other.id)?;
                Some((here - there, &instance.provider, &other.id))
            })
    });
    // The largest saving, and of equal ones the provider that comes first by name.
    let (saves, from, to) = moves.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
    (saves >= MOVE_SAVES).then(|| (Waste::Arbitrage { from: from.clone(), to: to.clone() }, saves))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend(actual: i64, projected: i64) -> Spend {
        Spend { actual: Cents(actual), projected: Cents(projected) }
    }

    #[test]
    fn fifteen_percent_is_no_anomaly_and_a_cent_more_is() {
        assert!(!spend(115_000, 100_000).is_anomaly());
        assert!(spend(115_001, 100_000).is_anomaly());
        assert!(spend(115_100, 100_000).is_anomaly());
        assert!(!spend(10, 100_000).is_anomaly());
        assert!(!spend(10, 0).is_anomaly());
    }

    #[test]
    fn a_deviation_has_a_sign_and_needs_a_projection() {
        assert_eq!(spend(124_700, 119_000).deviation_permille(), Some(48));
        assert_eq!(spend(90_000, 100_000).deviation_permille(), Some(-100));
        assert_eq!(spend(5, 0).deviation_permille(), None);
    }
}
