//! "Last night", "yesterday", "the last 24 hours" as moments, reckoned from when the message was sent.

use crate::language::{Clause, Kind};
use jiff::{ToSpan, civil::DateTime};

#[derive(Debug, Default, PartialEq)]
pub struct Window {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// The window that the clause names; nothing where the time of the message is not known.
pub fn window(clause: &Clause, now: Option<DateTime>) -> Window {
    let Some(now) = now else {
        return Window::default();
    };
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
