//! "Last night", "yesterday", "the last 24 hours" as moments, reckoned from when the message was sent.

use crate::language::{Clause, Kind, moment::Grain};
use jiff::{ToSpan, civil::DateTime};

#[derive(Debug, Default, PartialEq)]
pub struct Window {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// The window that the clause names; nothing where the time of the message is not known.
pub fn window(clause: &Clause, now: Option<DateTime>) -> Window {
    let named: Vec<(DateTime, Grain)> = moments(clause).collect();
    if !named.is_empty() {
        return between(clause, &named);
    }
    let Some(now) = now else {
        return Window::default();
    };
    let month =
        month(clause, Some(now)).and_then(|month| format!("{month}-01T00:00:00").parse::<DateTime>().ok());
    if let Some(first) = month {
        return Window { from: Some(stamp(first)), to: first.checked_add(1.month()).ok().map(stamp) };
    }
    let midnight = now.date().to_datetime(jiff::civil::Time::midnight());
    let since = |from: Option<DateTime>| Window { from: from.map(stamp), to: None };
    let back = |minutes: i64| now.checked_sub(minutes.minutes()).ok();
    match () {
        () if clause.phrase("last night") || clause.says("overnight") => {
            since(midnight.checked_sub(6.hours()).ok())
        }
        () if clause.phrase("since yesterday") => since(midnight.checked_sub(1.day()).ok()),
        () if clause.says("yesterday") => {
            Window { from: midnight.checked_sub(1.day()).ok().map(stamp), to: Some(stamp(midnight)) }
        }
        () if clause.says("today") || clause.phrase("this morning") => since(Some(midnight)),
        () if clause.phrase("last hour") || clause.phrase("past hour") => since(back(60)),
        () if clause.phrase("last day") || clause.phrase("past day") => since(back(24 * 60)),
        () if clause.phrase("this week") || clause.phrase("last week") || clause.phrase("past week") => {
            since(back(7 * 24 * 60))
        }
        () if follows(clause, &["last", "past", "previous"]) => since(clause.slots.minutes.and_then(back)),
        () => Window::default(),
    }
}

/// Dates that are written in full.
pub fn moments(clause: &Clause) -> impl Iterator<Item = (DateTime, Grain)> {
    clause.tokens.iter().filter_map(|token| match token.kind {
        Kind::Moment(at, grain) => Some((at, grain)),
        _ => None,
    })
}

/// "Between … and …", "since …", "until …", "on …".
fn between(clause: &Clause, named: &[(DateTime, Grain)]) -> Window {
    let end = |at: DateTime, grain: Grain| match grain {
        Grain::Moment => Some(at),
        Grain::Day => at.checked_add(1.day()).ok(),
        Grain::Month => at.checked_add(1.month()).ok(),
    };
    match named {
        [(from, _), (to, grain), ..] => Window { from: Some(stamp(*from)), to: end(*to, *grain).map(stamp) },
        [(at, _)] if clause.says_any(&["until", "till", "before"]) || clause.phrase("up to") => {
            Window { from: None, to: Some(stamp(*at)) }
        }
        [(at, grain)] if *grain == Grain::Moment || clause.says_any(&["since", "after", "from"]) => {
            Window { from: Some(stamp(*at)), to: None }
        }
        [(at, grain)] => Window { from: Some(stamp(*at)), to: end(*at, *grain).map(stamp) },
        [] => Window::default(),
    }
}

/// A month by its number, its name or "last month", as `2026-10`; a name alone is the newest such month that is over or runs.
pub fn month(clause: &Clause, now: Option<DateTime>) -> Option<String> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let written = |year: i16, month: i8| format!("{year:04}-{month:02}");
    let full = moments(clause).find(|(_, grain)| *grain == Grain::Month);
    if let Some((at, _)) = full {
        return Some(written(at.year(), at.month()));
    }
    let now = now?;
    if ["last month", "previous month"].iter().any(|said| clause.phrase(said)) {
        let before = now.checked_sub(1.month()).ok()?;
        return Some(written(before.year(), before.month()));
    }
    let named = clause.tokens.windows(2).find_map(|two| {
        let at = NAMES.iter().position(|name| two[1].raw.eq_ignore_ascii_case(name))?;
        // "May I" is no month.
        (at != 4 || matches!(two[0].text.as_str(), "in" | "for" | "of")).then_some(at as i8 + 1)
    })?;
    let year = if named > now.month() { now.year() - 1 } else { now.year() };
    Some(written(year, named))
}

/// Whether the clause names a time that is over.
pub fn names_past(clause: &Clause) -> bool {
    const OVER: [&str; 7] =
        ["last hour", "past hour", "last day", "past day", "last night", "last week", "past week"];
    OVER.iter().any(|said| clause.phrase(said)) || follows(clause, &["last", "past", "previous"])
}

fn follows(clause: &Clause, words: &[&str]) -> bool {
    clause.tokens.windows(2).any(|pair| {
        words.contains(&pair[0].text.as_str()) && matches!(pair[1].kind, Kind::Number(_) | Kind::Minutes(_))
    })
}

fn stamp(at: DateTime) -> String {
    format!("{}Z", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::clauses;

    #[test]
    fn windows_are_reckoned_from_the_message() {
        let now = "2026-11-21T05:45:00".parse().ok();
        let from = |text: &str| window(&clauses(text)[0], now).from.unwrap_or_default();
        assert_eq!(from("what did you do last night"), "2026-11-20T18:00:00Z");
        assert_eq!(from("what happened in the last 24 hours"), "2026-11-20T05:45:00Z");
        assert_eq!(from("what happened"), "");
        assert_eq!(window(&clauses("last night")[0], None), Window::default());
    }
}
