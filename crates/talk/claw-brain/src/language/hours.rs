//! Hours of the day and lengths of time among the words; a number that is neither stays a number.

use super::{
    Sense,
    token::{Kind, Token},
};

/// "last night", "last 10 entries": the word counts time or rows, not accounts.
pub(super) fn counts_time(tokens: &[Token], at: usize) -> bool {
    const UNITS: [&str; 13] = [
        "night", "week", "month", "hour", "hours", "day", "days", "year", "time", "minute", "minutes",
        "fail", "morning",
    ];
    tokens.get(at + 1).is_some_and(|next| {
        UNITS.contains(&next.text.as_str())
            || (matches!(next.kind, Kind::Number(_) | Kind::Minutes(_)) && next.text != "one")
            || next.is(Sense::Failover)
    })
}

/// "At 7", but not "at 5 a time" or "at 3 providers".
pub(super) fn told_time(tokens: &[Token], at: usize) -> bool {
    let after = tokens.get(at + 1);
    let ends = after.is_none_or(|next| {
        next.is_break() || matches!(next.text.as_str(), "please" | "every" | "each" | "on" | "utc" | "and")
    });
    let in_the = in_the_day(tokens, at).is_some();
    let daily = at > 0 && matches!(tokens[at - 1].text.as_str(), "daily" | "morning" | "day") && ends;
    daily
        || after.is_some_and(|next| next.text == "oclock")
        || at > 0 && tokens[at - 1].text == "at" && (ends || in_the)
}

/// "In the morning", "o'clock in the evening": which part of the day follows the hour.
fn in_the_day(tokens: &[Token], at: usize) -> Option<&str> {
    let mut rest =
        tokens[at + 1..].iter().map(|token| token.text.as_str()).skip_while(|text| *text == "oclock");
    let part = (rest.next()? == "in" && rest.next()? == "the").then(|| rest.next())??;
    ["morning", "afternoon", "evening"].contains(&part).then_some(part)
}

pub(super) fn of_day(tokens: &[Token], at: usize, hour: u8) -> u8 {
    match in_the_day(tokens, at) {
        Some("afternoon" | "evening") if hour < 12 => hour + 12,
        _ => hour,
    }
}

/// `30 minutes`, `an hour`, `half an hour`, `2 hours`.
pub(super) fn duration(tokens: &[Token]) -> Option<i64> {
    tokens.iter().enumerate().find_map(|(at, token)| {
        let unit = match token.raw.to_lowercase().as_str() {
            "minute" | "minutes" | "min" | "mins" => 1,
            "hour" | "hours" | "hr" | "hrs" => 60,
            "day" | "days" => 24 * 60,
            _ => return None,
        };
        let before = tokens[..at].last()?;
        match (&before.kind, before.text.as_str()) {
            (Kind::Number(n), _) if *n > 0 => Some(n.saturating_mul(unit)),
            (_, "a" | "an") if at >= 2 && tokens[at - 2].text == "half" => Some(unit / 2),
            (_, "a" | "an") => Some(unit),
            _ => None,
        }
    })
}
