//! "Berlin time": by whose clock a report shall come, as a zone that the control plane knows.
//!
//! A city that is not listed here is never guessed at; without one the time is UTC.

use crate::language::{Clause, Token};

const ZONES: &[(&str, &str)] = &[
    ("berlin", "Europe/Berlin"),
    ("vienna", "Europe/Vienna"),
    ("zurich", "Europe/Zurich"),
    ("paris", "Europe/Paris"),
    ("madrid", "Europe/Madrid"),
    ("rome", "Europe/Rome"),
    ("amsterdam", "Europe/Amsterdam"),
    ("lisbon", "Europe/Lisbon"),
    ("london", "Europe/London"),
    ("dublin", "Europe/Dublin"),
    ("helsinki", "Europe/Helsinki"),
    ("stockholm", "Europe/Stockholm"),
    ("warsaw", "Europe/Warsaw"),
    ("athens", "Europe/Athens"),
    ("istanbul", "Europe/Istanbul"),
    ("dubai", "Asia/Dubai"),
    ("mumbai", "Asia/Kolkata"),
    ("delhi", "Asia/Kolkata"),
    ("singapore", "Asia/Singapore"),
    ("tokyo", "Asia/Tokyo"),
    ("sydney", "Australia/Sydney"),
    ("chicago", "America/Chicago"),
    ("denver", "America/Denver"),
    ("toronto", "America/Toronto"),
];

/// The zone that is named as one: with "time" behind it, or as the control plane writes it.
pub fn of(clause: &Clause) -> Option<String> {
    let full = clause.tokens.iter().find(|token| is_full(token)).map(|token| token.raw.clone());
    let city = clause.tokens.windows(2).find(|pair| pair[1].text == "time").and_then(|pair| zone(&pair[0]));
    full.or_else(|| city.map(str::to_owned))
}

/// Whether this word is part of a zone's name.
pub fn names(token: &Token) -> bool {
    zone(token).is_some() || is_full(token)
}

fn zone(token: &Token) -> Option<&'static str> {
    ZONES.iter().find(|(city, _)| token.raw.eq_ignore_ascii_case(city)).map(|(_, zone)| *zone)
}

fn is_full(token: &Token) -> bool {
    const AREAS: [&str; 8] =
        ["Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/"];
    AREAS.iter().any(|area| token.raw.starts_with(area))
}
