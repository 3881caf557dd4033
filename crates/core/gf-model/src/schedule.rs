//! Reports that come by themselves: what, when, to whom, and when the next one is due.
//!
//! Times are UTC unless an entry names a zone; then the clock on that zone's walls counts, summer and winter.

use crate::{ScheduleId, notice::Recipient, person::Principal};
use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Report {
    Briefing,
    Cost,
    Health,
    Capacity,
}

impl Report {
    pub const ALL: [Self; 4] = [Self::Briefing, Self::Cost, Self::Health, Self::Capacity];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Briefing => "briefing",
            Self::Cost => "cost report",
            Self::Health => "health report",
            Self::Capacity => "capacity report",
        }
    }

    /// When it comes unless somebody says otherwise.
    pub const fn usual(self) -> &'static str {
        match self {
            Self::Briefing | Self::Health => "daily 07:00",
            Self::Cost => "weekly monday 08:00",
            Self::Capacity => "monthly 1 07:00",
        }
    }

    /// The read whose result holds the numbers of the report, as `name {json}`.
    pub const fn look_at(self) -> &'static str {
        match self {
            Self::Briefing | Self::Health => "gf_fleet_status {}",
            Self::Cost => r#"gf_cost_report {"period":"week"}"#,
            Self::Capacity => "gf_provider_health {}",
        }
    }
}

impl FromStr for Report {
    type Err = ();
    fn from_str(given: &str) -> Result<Self, ()> {
        let name = given.trim().to_ascii_lowercase().replace(['_', '-'], " ");
        Self::ALL.into_iter().find(|report| report.name() == name).ok_or(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rhythm {
    Daily,
    Weekly(Weekday),
    /// In a shorter month, on its last day.
    Monthly(i8),
    Once,
}

/// When a report comes: `daily 07:00`, `weekly monday 08:00`, `monthly 1 07:00`, `next 07:00` for once; with a zone's
/// name behind it, by that zone's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct When {
    rhythm: Rhythm,
    time: Time,
    /// IANA name; `None` is UTC.
    zone: Option<String>,
}

/// What was wrong with a time that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no time of a report: {why}")]
pub struct BadWhen {
    pub given: String,
    why: &'static str,
}

impl BadWhen {
    pub const FIX: &'static str = "use daily 07:00, weekly monday 08:00, monthly 1 07:00 or next 07:00 (UTC, or add a zone such as Europe/Berlin)";
}

impl FromStr for When {
    type Err = BadWhen;
    fn from_str(given: &str) -> Result<Self, BadWhen> {
        let bad = |why| BadWhen { given: given.chars().take(80).collect(), why };
        let words: Vec<&str> = given.split_whitespace().collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let (rhythm, used) = match &lower[..] {
            ["daily", ..] => (Rhythm::Daily, 1),
            ["next" | "once", ..] => (Rhythm::Once, 1),
            ["weekly", day, ..] => {
                (Rhythm::Weekly(weekday(day).ok_or_else(|| bad("there is no such day of the week"))?), 2)
            }
            ["monthly", day, ..] => {
                let day = day.parse().ok().filter(|day| (1..=31).contains(day));
                (Rhythm::Monthly(day.ok_or_else(|| bad("a day of the month is 1 to 31"))?), 2)
            }
            _ => return Err(bad("it begins with none of daily, weekly, monthly and next")),
        };
        let time = lower
            .get(used)
            .and_then(|text| clock(text))
            .ok_or_else(|| bad("it has no time such as 07:00"))?;
        let zone = match &words[used + 1..] {
            [] => None,
            [zone] if zone.eq_ignore_ascii_case("utc") => None,
            [zone] => {
                let known = TimeZone::get(zone).map_err(|_| bad("there is no such time zone"))?;
                Some(known.iana_name().unwrap_or(zone).to_owned())
            }
            _ => return Err(bad("there is more behind the time than a zone")),
        };
        Ok(Self { rhythm, time, zone })
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    use Weekday::*;
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    days.into_iter().find(|day| weekday_name(*day) == name)
}

const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// Hours and minutes, two digits each.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rhythm {
            Rhythm::Daily => f.write_str("daily")?,
            Rhythm::Weekly(day) => write!(f, "weekly {}", weekday_name(day))?,
            Rhythm::Monthly(day) => write!(f, "monthly {day}")?,
            Rhythm::Once => f.write_str("next")?,
        }
        write!(f, " {:02}:{:02}", self.time.hour(), self.time.minute())?;
        self.zone.as_ref().map_or(Ok(()), |zone| write!(f, " {zone}"))
    }
}

impl TryFrom<String> for When {
    type Error = BadWhen;
    fn try_from(given: String) -> Result<Self, BadWhen> {
        given.parse()
    }
}
impl From<When> for String {
    fn from(when: When) -> String {
        when.to_string()
    }
}

impl When {
    pub fn is_once(&self) -> bool {
        self.rhythm == Rhythm::Once
    }

    /// The first moment after `then`; `None` only at the end of all calendars.
    pub fn next_after(&self, then: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get).ok()?;
        let from = then.to_zoned(zone.clone());
        // A clock that was put back shows a time twice, and one put forward never: `to_zoned` settles both.
        let at = |date: Date| date.to_datetime(self.time).to_zoned(zone.clone()).ok();
        let is_later = |moment: &Zoned| moment.timestamp() > then;
        let today = from.date();
        let found = match self.rhythm {
            Rhythm::Daily | Rhythm::Once => {
                (0..=2).filter_map(|n| at(today.checked_add(n.days()).ok()?)).find(is_later)
            }
            Rhythm::Weekly(day) => (0..=8)
                .filter_map(|n| today.checked_add(n.days()).ok())
                .filter(|date| date.weekday() == day)
                .filter_map(at)
                .find(is_later),
            Rhythm::Monthly(day) => (0..=2)
                .filter_map(|n| today.first_of_month().checked_add(n.months()).ok())
                .filter_map(|month| at(month.with().day(day.min(month.days_in_month())).build().ok()?))
                .find(is_later),
        };
        found.map(|moment| moment.timestamp())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    pub id: ScheduleId,
    pub what: Report,
    pub when: When,
    pub recipient: Recipient,
    pub created_by: Principal,
    pub created_at: Timestamp,
    pub next_run: Timestamp,
    pub last_run: Option<Timestamp>,
}

impl Schedule {
    /// What the keys of its notices begin with.
    pub fn notice_prefix(&self) -> String {
        format!("schedule:{}:", self.id)
    }

    /// What becomes of it when it ran at `now`: runs that were missed meanwhile are made up by this one. `None` when
    /// it was for once.
    pub fn after_run(&self, now: Timestamp) -> Option<Self> {
        let next_run = self.when.next_after(now).filter(|_| !self.when.is_once())?;
        Some(Self { next_run, last_run: Some(now), ..self.clone() })
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
