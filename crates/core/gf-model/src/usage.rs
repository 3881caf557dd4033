//! How much an account's instances used, day by day for the last days: what waste is judged by.
//!
//! Measurements are never rows. Only the highest of an hour is kept, added to its day, so that a record is written
//! once an hour and account.

use crate::AccountId;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Days that are kept: the running one and the seven whole ones before it.
pub const DAYS_KEPT: usize = 8;
/// A day counts as measured when so many of its hours were.
pub const HOURS_OF_A_DAY: u32 = 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    pub account: AccountId,
    /// Oldest first.
    pub days: Vec<UsageDay>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageDay {
    /// In UTC.
    pub date: Date,
    /// One bit for each hour in which anything was measured.
    pub hours: u32,
    pub peak_cpu_percent: Option<f32>,
    pub peak_memory_percent: Option<f32>,
}

/// The highest of some measurements; `None` was not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Peak {
    pub cpu_percent: Option<f32>,
    pub memory_percent: Option<f32>,
}

impl Peak {
    pub fn raise(&mut self, other: Peak) {
        self.cpu_percent = higher(self.cpu_percent, other.cpu_percent);
        self.memory_percent = higher(self.memory_percent, other.memory_percent);
    }

    pub const fn is_empty(&self) -> bool {
        self.cpu_percent.is_none() && self.memory_percent.is_none()
    }
}

fn higher(a: Option<f32>, b: Option<f32>) -> Option<f32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    }
}

impl Usage {
    pub fn new(account: AccountId) -> Self {
        Self { account, days: Vec::new() }
    }

    /// Adds what was measured in the hour of `at`, and forgets what is too old to matter.
    pub fn add(&mut self, at: Timestamp, peak: Peak) {
        let moment = at.to_zoned(TimeZone::UTC);
        let (date, hour) = (moment.date(), 1u32 << moment.hour());
        let place = self.days.iter().position(|day| day.date >= date).unwrap_or(self.days.len());
        if self.days.get(place).is_none_or(|day| day.date != date) {
            let fresh = UsageDay { date, hours: 0, peak_cpu_percent: None, peak_memory_percent: None };
            self.days.insert(place, fresh);
        }
        let day = &mut self.days[place];
        day.hours |= hour;
        day.peak_cpu_percent = higher(day.peak_cpu_percent, peak.cpu_percent);
        day.peak_memory_percent = higher(day.peak_memory_percent, peak.memory_percent);
        let superfluous = self.days.len().saturating_sub(DAYS_KEPT);
        self.days.drain(..superfluous);
    }

    /// The seven days before today and today, as far as they were measured.
    fn week(&self, now: Timestamp) -> impl Iterator<Item = (&UsageDay, bool)> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let age = move |day: &UsageDay| (today - day.date).get_days();
        self.days.iter().filter(move |day| (0..=7).contains(&age(day))).map(move |day| (day, age(day) == 0))
    }

    /// Whole days of the last seven that were measured.
    pub fn days_of_data(&self, now: Timestamp) -> u32 {
        let whole =
            |(day, is_today): &(&UsageDay, bool)| !is_today && day.hours.count_ones() >= HOURS_OF_A_DAY;
        self.week(now).filter(whole).count() as u32
    }

    /// The highest of the last seven days and today.
    pub fn peak(&self, now: Timestamp) -> Peak {
        let mut peak = Peak::default();
        for (day, _) in self.week(now) {
            peak.raise(Peak { cpu_percent: day.peak_cpu_percent, memory_percent: day.peak_memory_percent });
        }
        peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cpu(percent: f32) -> Peak {
        Peak { cpu_percent: Some(percent), memory_percent: None }
    }

    #[test]
    fn a_day_counts_when_nearly_all_of_it_was_measured() {
        let mut usage = Usage::new("0001".parse().unwrap());
        let noon = at("2026-11-21T12:00:00Z");
        for hour in 0..19 {
            usage.add(at(&format!("2026-11-20T{hour:02}:30:00Z")), cpu(1.0));
        }
        assert_eq!(usage.days_of_data(noon), 0);
        usage.add(at("2026-11-20T23:59:59Z"), cpu(1.0));
        assert_eq!(usage.days_of_data(noon), 1);
        assert_eq!(usage.days_of_data(at("2026-11-20T23:59:59Z")), 0, "today is never whole");
    }

    #[test]
    fn the_peak_is_of_a_week_and_what_was_not_measured_stays_unknown() {
        let mut usage = Usage::new("0001".parse().unwrap());
        usage.add(at("2026-11-01T05:00:00Z"), cpu(99.0));
        usage.add(at("2026-11-20T05:00:00Z"), cpu(12.0));
        usage.add(at("2026-11-20T06:00:00Z"), cpu(7.0));
        let peak = usage.peak(at("2026-11-21T00:00:00Z"));
        assert_eq!((peak.cpu_percent, peak.memory_percent), (Some(12.0), None));
    }

    #[test]
    fn no_more_days_are_kept_than_matter() {
        let mut usage = Usage::new("0001".parse().unwrap());
        for day in 1..=20 {
            usage.add(at(&format!("2026-11-{day:02}T05:00:00Z")), cpu(1.0));
        }
        assert_eq!(usage.days.len(), DAYS_KEPT);
        assert_eq!(usage.days[0].date, at("2026-11-13T00:00:00Z").to_zoned(TimeZone::UTC).date());
    }
}
