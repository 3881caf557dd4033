//! Small pieces of sentences.

use gf_model::{Cents, Timestamp};
use gf_tools::common::Counts;
use jiff::tz::TimeZone;

/// `1 pair`, `2 pairs`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

pub fn pairs(n: u64) -> String {
    count(n, "pair", "pairs")
}

pub fn instances(n: u64) -> String {
    count(n, "instance", "instances")
}

/// `$24/month`.
pub fn per_month(cents: Cents) -> String {
    format!("{cents}/month")
}

/// `3 ACTIVE, 1 BOOTSTRAPPING`, the largest first.
pub fn counts(counts: &Counts) -> String {
    let mut sorted: Vec<_> = counts.iter().filter(|(_, n)| **n > 0).collect();
    sorted.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let parts: Vec<String> =
        sorted.into_iter().map(|(state, n)| format!("{n} {}", state.replace('_', " "))).collect();
    parts.join(", ")
}

/// `a, b and c`; beyond `most` the rest are counted.
pub fn list<T: ToString>(items: &[T], most: usize) -> String {
    let names: Vec<String> = items.iter().take(most).map(T::to_string).collect();
    match (items.len().saturating_sub(most), names.as_slice()) {
        (0, []) => "none".to_owned(),
        (0, [one]) => one.clone(),
        (0, [before @ .., last]) => format!("{} and {last}", before.join(", ")),
        (rest, names) => format!("{} and {rest} more", names.join(", ")),
    }
}

/// `11.2 s`, `4 min 5 s`, `3 h 2 min`, `5 days`.
pub fn seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 if seconds < 60.0 => format!("{:.1} s", seconds.max(0.0)),
        0..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} days", whole / 86_400),
    }
}

/// How long ago something was.
pub fn age(then: Timestamp, now: Timestamp) -> f64 {
    (now.as_millisecond() - then.as_millisecond()).max(0) as f64 / 1000.0
}

/// The first letter of a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A moment as people read it in a sentence.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The same with somebody's own zone beside it, where they have one.
pub fn moment_beside(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) => format!("{} ({})", moment(at), local(at, zone)),
        None => moment(at),
    }
}

/// A moment by somebody's own clock.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{} {}", at.strftime("%Y-%m-%d %H:%M"), zone.iana_name().unwrap_or("local time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!((pairs(1), pairs(0)), ("1 pair".into(), "0 pairs".into()));
        assert_eq!(seconds(11.24), "11.2 s");
        assert_eq!(seconds(245.0), "4 min 5 s");
        assert_eq!(seconds(10_920.0), "3 h 2 min");
        assert_eq!(list(&["a", "b", "c"], 5), "a, b and c");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
        let at: Timestamp = "2026-11-21T08:00:00.123456789Z".parse().unwrap();
        assert_eq!(moment_beside(at, None), "2026-11-21 08:00:00 UTC");
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let beside = "2026-11-21 08:00:00 UTC (2026-11-21 17:00 Asia/Tokyo)";
        assert_eq!(moment_beside(at, Some(&tokyo)), beside);
        let states = Counts::from([("ACTIVE".into(), 3), ("BOOTSTRAPPING".into(), 1), ("FAILED".into(), 0)]);
        assert_eq!(counts(&states), "3 ACTIVE, 1 BOOTSTRAPPING");
    }
}
