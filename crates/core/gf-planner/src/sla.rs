//! How long an account may be without a live gateway in a month, and how long it was.
//!
//! Each second of a month is counted once, as exactly one thing. What is not known is told as that and never as served.

use gf_model::{
    Tier, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    served::{Gap, LapseKind, ServiceLog, Watch},
};
use jiff::{civil::Date, tz::TimeZone};
use std::fmt;

/// Announced maintenance apart, in parts per million of a month.
pub const fn target_ppm(tier: Tier) -> u32 {
    match tier {
        Tier::Nano => 990_000,
        Tier::Standard => 995_000,
        Tier::Pro => 999_000,
        Tier::Enterprise => 999_500,
    }
}

/// A calendar month, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

impl Month {
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// As it is written: `2026-10`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_whole = text.len() == 7 && text.as_bytes().get(4) == Some(&b'-');
        is_whole.then(|| format!("{text}-01").parse().ok().map(Self)).flatten()
    }

    pub fn seconds(self) -> u64 {
        u64::from(self.0.days_in_month().unsigned_abs()) * 86_400
    }

    /// Since 1970.
    fn begin(self) -> i64 {
        self.0.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

/// The seconds of one account's month. They add up to the month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    pub up: u64,
    pub down: u64,
    /// Without service while a person's own order was carried out.
    pub planned: u64,
    /// Nobody looked.
    pub unknown: u64,
    /// There was no account, or an archive and nothing else.
    pub outside: u64,
    pub to_come: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Met,
    Missed,
    /// What is unknown decides it.
    Unknown,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    pub target_ppm: u32,
    /// Of what is known, planned time apart; `None` where nothing is.
    pub achieved_ppm: Option<u32>,
    /// Seconds that may still be lost in this month; zero once the target is missed.
    pub seconds_left: u64,
    pub verdict: Verdict,
}

pub fn sla(tier: Tier, served: &Served, month: Month) -> Sla {
    let target_ppm = target_ppm(tier);
    let budget = (u128::from(month.seconds()) * u128::from(1_000_000 - target_ppm) / 1_000_000) as u64;
    let known = u128::from(served.up) + u128::from(served.down);
    // Rounded down: a target that is missed by a second is not shown as met.
    let achieved_ppm = (u128::from(served.up) * 1_000_000).checked_div(known).map(|ppm| ppm as u32);
    let verdict = match (served.down <= budget, served.down + served.unknown <= budget) {
        (false, _) => Verdict::Missed,
        (true, true) => Verdict::Met,
        (true, false) => Verdict::Unknown,
    };
    Sla { target_ppm, achieved_ppm, seconds_left: budget.saturating_sub(served.down), verdict }
}

/// What is known of the looking, with the month that is asked about: worked out once for all accounts.
#[derive(Debug)]
pub struct Looked {
    month: Month,
    /// Of the month, until now.
    from: i64,
    to: i64,
    gaps: Vec<Gap>,
}

impl Looked {
    pub fn of(fleet: &Fleet, month: Month, now: Timestamp) -> Self {
        let from = month.begin();
        let to = now.as_second().clamp(from, from + month.seconds() as i64);
        let gaps = match Watch::of(fleet) {
            None => vec![Gap { from: Timestamp::MIN, to: Timestamp::MAX }],
            Some(watch) => {
                let before = Gap { from: Timestamp::MIN, to: watch.known_since };
                let mut gaps = watch.gaps;
                gaps.push(before);
                gaps
            }
        };
        let gaps = gaps.into_iter().filter(|gap| gap.to.as_second() > from && gap.from.as_second() < to);
        Self { month, from, to, gaps: gaps.collect() }
    }

    /// The month of one account.
    pub fn served(&self, gateway: &Gateway, log: &ServiceLog) -> Served {
        let created = gateway.created_at.as_second();
        let mut spans = vec![(Kind::Outside, i64::MIN, created)];
        spans.extend(self.gaps.iter().map(|gap| (Kind::Unknown, gap.from.as_second(), gap.to.as_second())));
        spans.extend(log.known_since.map(|since| (Kind::Unknown, i64::MIN, since.as_second())));
        for lapse in &log.lapses {
            let kind = match lapse.kind {
                LapseKind::Down => Kind::Down,
                LapseKind::Planned => Kind::Planned,
                LapseKind::Archived => Kind::Outside,
            };
            let open = if gateway.desired == Desired::Archived { i64::MAX } else { lapse.from.as_second() };
            spans.push((kind, lapse.from.as_second(), lapse.to.map_or(open, |to| to.as_second())));
        }
        self.count(&spans)
    }

    /// Each second as the strongest of what covers it.
    fn count(&self, spans: &[(Kind, i64, i64)]) -> Served {
        let mut turns: Vec<(i64, usize, i32)> = Vec::with_capacity(spans.len() * 2);
        for (kind, from, to) in spans {
            let (from, to) = ((*from).max(self.from), (*to).min(self.to));
            if from < to {
                turns.push((from, *kind as usize, 1));
                turns.push((to, *kind as usize, -1));
            }
        }
        turns.sort_unstable();
        let mut counted = [0; Kind::Up as usize + 1];
        let mut open = [0; Kind::Up as usize];
        let mut since = self.from;
        for (at, kind, change) in turns.into_iter().chain([(self.to, 0, 0)]) {
            let strongest = open.iter().position(|open| *open > 0).unwrap_or(Kind::Up as usize);
            counted[strongest] += (at - since).unsigned_abs();
            since = at;
            open[kind] += change;
        }
        let of = |kind: Kind| counted[kind as usize];
        let passed = (self.to - self.from).unsigned_abs();
        Served {
            up: of(Kind::Up),
            down: of(Kind::Down),
            planned: of(Kind::Planned),
            unknown: of(Kind::Unknown),
            outside: of(Kind::Outside),
            to_come: self.month.seconds().saturating_sub(passed),
        }
    }
}

/// The stronger first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Outside,
    Unknown,
    Planned,
    Down,
    Up,
}

#[cfg(test)]
#[path = "sla_tests.rs"]
mod tests;
