//! When a gateway may be changed or started anew, and whether it stays at the revision that it has.
//!
//! It binds what is done for upkeep: rollouts, and restarts of what is well. What heals or moves a gateway is never held up
//! by it.

use crate::{RevisionId, person::Principal};
use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Upkeep {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Without one it may be looked after at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// It stays at what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// What it had when it was pinned; none where it never took one.
    pub revision: Option<RevisionId>,
    pub reason: String,
    pub by: Principal,
    pub at: Timestamp,
}

impl Upkeep {
    pub fn is_free(&self) -> bool {
        self.pin.is_none() && self.window.is_none()
    }

    /// Why no rollout may reach it now.
    pub fn against_a_rollout(&self, now: Timestamp) -> Option<String> {
        if let Some(pin) = &self.pin {
            let stays = pin.revision.map_or("what it has".to_owned(), |revision| revision.to_string());
            return Some(format!("it is pinned to {stays}: {}", pin.reason));
        }
        self.against_a_restart(now)
    }

    /// Why it may not be started anew now while it is well.
    pub fn against_a_restart(&self, now: Timestamp) -> Option<String> {
        let window = self.window.as_ref().filter(|window| !window.is_open(now))?;
        Some(format!("its maintenance window is {window}"))
    }
}

/// So many minutes from a time of day, on some days of each week or on all; UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Window {
    /// From Monday; all false: every day.
    days: [bool; 7],
    /// Minutes after midnight.
    from: u16,
    minutes: u16,
}

const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no maintenance window; write 02:00-04:00 or sat,sun 01:00-05:00 (UTC)")]
pub struct BadWindow(pub String);

impl Window {
    pub fn is_open(&self, now: Timestamp) -> bool {
        let now = now.to_zoned(TimeZone::UTC);
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let today = self.begins_on(now.weekday());
        let yesterday = self.begins_on(now.weekday().previous());
        let end = self.from + self.minutes;
        // One that lasts over midnight belongs to the day that it begins on.
        today && (self.from..end).contains(&minute) || yesterday && minute + DAY < end
    }

    fn begins_on(&self, day: Weekday) -> bool {
        let is_daily = self.days.iter().all(|on| !on);
        is_daily || self.days[usize::from(day.to_monday_zero_offset().unsigned_abs())]
    }
}

impl FromStr for Window {
    type Err = BadWindow;
    fn from_str(given: &str) -> Result<Self, BadWindow> {
        let bad = || BadWindow(given.to_owned());
        let text = given.trim().to_ascii_lowercase();
        let (named, hours) = text.rsplit_once(' ').unwrap_or(("", &text));
        let mut days = [false; 7];
        for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let day = DAYS.iter().position(|day| *day == name).ok_or_else(bad)?;
            days[day] = true;
        }
        let (from, to) = hours.split_once('-').ok_or_else(bad)?;
        let (from, to) = (minute(from).ok_or_else(bad)?, minute(to).ok_or_else(bad)?);
        let minutes = if to > from { to - from } else { to + DAY - from };
        match from < DAY && minutes < DAY {
            true => Ok(Self { days, from, minutes }),
            false => Err(bad()),
        }
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u16, u16) = match is_number(hour) && is_number(minute) {
        true => (hour.parse().ok()?, minute.parse().ok()?),
        false => return None,
    };
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on: Vec<_> = DAYS.iter().zip(self.days).filter_map(|(day, on)| on.then_some(*day)).collect();
        if !on.is_empty() {
            write!(f, "{} ", on.join(","))?;
        }
        let end = (self.from + self.minutes) % DAY;
        write!(f, "{:02}:{:02}-{:02}:{:02} UTC", self.from / 60, self.from % 60, end / 60, end % 60)
    }
}

impl TryFrom<String> for Window {
    type Error = BadWindow;
    fn try_from(given: String) -> Result<Self, BadWindow> {
        given.trim_end_matches(" UTC").parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(window: &str, at: &str) -> bool {
        window.parse::<Window>().unwrap().is_open(at.parse().unwrap())
    }

    #[test]
    fn a_window_is_open_from_its_first_minute_to_before_its_last() {
        assert!(!open("02:00-04:00", "2026-11-21T01:59:59Z"));
        assert!(open("02:00-04:00", "2026-11-21T02:00:00Z"));
        assert!(open("02:00-04:00", "2026-11-21T03:59:59Z"));
        assert!(!open("02:00-04:00", "2026-11-21T04:00:00Z"));
    }

    #[test]
    fn one_over_midnight_belongs_to_the_day_that_it_begins_on() {
        // The 21st of November 2026 is a Saturday.
        assert!(open("sat 23:00-02:00", "2026-11-21T23:30:00Z"));
        assert!(open("sat 23:00-02:00", "2026-11-22T01:59:00Z"));
        assert!(!open("sat 23:00-02:00", "2026-11-21T01:00:00Z"));
        assert!(!open("sat 23:00-02:00", "2026-11-22T23:30:00Z"));
    }

    #[test]
    fn what_is_written_is_read_again_and_what_cannot_be_meant_is_refused() {
        for text in ["02:00-04:00", "sat,sun 01:00-05:00", "23:00-02:00", "mon 00:00-23:59"] {
            let window: Window = text.parse().unwrap();
            let stored = serde_json::to_string(&window).unwrap();
            assert_eq!(serde_json::from_str::<Window>(&stored).unwrap(), window, "{stored}");
        }
        for bad in [
            "",
            "always",
            "2:00-4:00",
            "25:00-26:00",
            "02:00",
            "02:00-02:00",
            "someday 01:00-02:00",
            "02:60-03:00",
        ] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }
}
