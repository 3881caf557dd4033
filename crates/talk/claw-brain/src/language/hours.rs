//! Hours of the day and lengths of time among the words; a number that is neither stays a number.

use super::{
    Sense,
    token::{Kind, Token},
};
use std::ops::Range;

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
        next.is_break()
            || matches!(
                next.text.as_str(),
                "please" | "every" | "each" | "on" | "utc" | "and" | "i" | "we" | "pls"
            )
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

/// `30 minutes`, `half an hour`, `an hour and a half`, `1 hour 15`: how long, and where it is said.
pub fn duration(tokens: &[Token]) -> Option<(i64, Range<usize>)> {
    let first = (0..tokens.len()).find_map(|at| length(tokens, at))?;
    let (mut minutes, mut said) = first;
    // What follows at once belongs to it: "1 hour and 30 minutes", "an hour and a half".
    loop {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        let and = said.end + usize::from(text(said.end) == "and");
        let half = and + usize::from(text(and) == "a");
        if and > said.end
            && text(half) == "half"
            && minutes % 60 == 0
            && unit(&tokens[said.end - 1]) == Some(60)
        {
            return Some((minutes + 30, said.start..half + 1));
        }
        match length(tokens, and) {
            Some((more, next)) if next.start == and => {
                minutes = minutes.saturating_add(more);
                said.end = next.end;
            }
            _ => return Some((minutes, said)),
        }
    }
}

fn unit(token: &Token) -> Option<i64> {
    match token.raw.to_lowercase().as_str() {
        "minute" | "minutes" | "min" | "mins" => Some(1),
        "hour" | "hours" | "hr" | "hrs" => Some(60),
        "day" | "days" => Some(24 * 60),
        _ => None,
    }
}

/// One length of time that begins here.
fn length(tokens: &[Token], at: usize) -> Option<(i64, Range<usize>)> {
    let token = tokens.get(at)?;
    if let Kind::Minutes(n) = token.kind {
        return Some((n, at..at + 1));
    }
    let words: Vec<&str> = tokens[at..].iter().take(5).map(|token| token.text.as_str()).collect();
    let unit_at = |offset: usize| tokens.get(at + offset).and_then(unit);
    let (n, d, offset) = match (&token.kind, words.as_slice()) {
        // "One and a half hours"
        (Kind::Number(n @ 1..), [_, "and", "a", "half", ..]) if unit_at(4).is_some() => {
            (n.saturating_mul(2) + 1, 2, 4)
        }
        (Kind::Number(n @ 1..), _) => (*n, 1, 1),
        (Kind::Amount(hours), _) if *hours > 0.0 && hours.fract() == 0.5 => ((hours * 2.0) as i64, 2, 1),
        (_, ["half", "an" | "a", ..]) => (1, 2, 2),
        (_, ["half", ..]) => (1, 2, 1),
        (_, ["quarter", "of", "an", ..]) => (1, 4, 3),
        (_, ["a", "quarter", "of", "an", ..]) => (1, 4, 4),
        (_, ["a", "couple", "of", ..]) => (2, 1, 3),
        (_, ["a" | "an" | "next", ..]) => (1, 1, 1),
        _ => return None,
    };
    let minutes = n.saturating_mul(unit_at(offset)?) / d;
    (minutes > 0).then_some((minutes, at..at + offset + 1))
}
