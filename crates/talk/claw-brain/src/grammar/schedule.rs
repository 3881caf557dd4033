//! Reports that come by themselves: add, remove, list.

use super::{Scene, pick, zone};
use crate::{
    language::{Clause, Kind, Lexicon, Mood, Sense, Token},
    step::Step,
};
use serde_json::json;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// "Drop the second one", of the reports that were just listed.
pub fn shown(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let listed = scene.memory.entries_shown();
    let ends = [Sense::Cancel, Sense::Remove, Sense::Stop].iter().any(|sense| clause.orders(*sense));
    let other =
        !clause.slots.accounts.is_empty() || clause.has(Sense::Account) || clause.has(Sense::Instance);
    if listed.is_empty() || !ends || other || clause.slots.ordinals.is_empty() {
        return None;
    }
    let Some(chosen) = pick::nth(clause, &listed) else {
        return Some(vec![Step::ask("Which of those entries do you mean? Please name them by id.")]);
    };
    let remove = |id: &String| Step::call("gf_schedule", json!({ "action": "remove", "id": id }));
    Some(chosen.iter().map(remove).collect())
}

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let ends = [Sense::Cancel, Sense::Remove, Sense::Stop].iter().any(|sense| clause.orders(*sense));
    let mut entries = clause.tokens.iter().filter(|token| {
        let raw = token.raw.to_lowercase();
        raw.starts_with("sch") && raw.contains('-') && raw.bytes().any(|b| b.is_ascii_digit())
    });
    if let Some(entry) = entries.next().filter(|_| ends) {
        let all = std::iter::once(entry).chain(entries);
        let remove = |entry: &Token| {
            Step::call("gf_schedule", json!({ "action": "remove", "id": entry.raw.to_lowercase() }))
        };
        return Some(all.map(remove).collect());
    }
    let asks_entry = clause.orders(Sense::Schedule)
        && !clause.is_question()
        && clause.head_is(Sense::Schedule)
        && clause.tokens.len() > 2;
    let Some(what) = what(clause) else {
        return (asks_entry && !clause.says("scheduled"))
            .then(|| vec![Step::ask("I can schedule a briefing, a cost report, a health report or a capacity report. Which, and when (UTC)?")]);
    };
    // "Turn off the weekly cost report"
    let turns_off = clause.mood == Mood::Order
        && !clause.negated
        && clause.tokens.get(clause.head).is_some_and(|head| {
            matches!(head.text.as_str(), "turn off" | "switch off" | "disable" | "deactivate")
        });
    let no_more = turns_off
        || clause.mood == Mood::Statement
            && clause.phrase("no more")
            && !clause.says_any(&["today", "are", "were"]);
    if [Sense::Cancel, Sense::Remove, Sense::Stop].iter().any(|sense| clause.orders(*sense))
        || no_more
        || (clause.negated && clause.any(&[Sense::Send, Sense::Want, Sense::Briefing]))
    {
        return Some(vec![Step::call("gf_schedule", json!({ "action": "remove", "what": what }))]);
    }
    // What is not plainly wanted is not added.
    if clause.negated || clause.says_any(&["not", "no", "never", "without", "stop", "anymore"]) {
        return Some(vec![Step::ask(format!(
            "Shall I remove the {what} from the schedule? Then say: remove the {what}."
        ))]);
    }
    if clause.tokens.windows(2).any(|pair| {
        pair[0].text == "the"
            && pair[1].raw.ends_with("th")
            && pair[1].raw.starts_with(|c: char| c.is_ascii_digit())
    }) {
        return Some(vec![Step::ask(
            "I can send it daily, weekly, on the first of a month or once. Which shall it be, and at what time (UTC)?",
        )]);
    }
    let hours = clause.tokens.windows(2).filter(|two| {
        matches!(two[1].kind, Kind::Clock(..))
            || two[0].text == "at" && matches!(two[1].kind, Kind::Number(_))
    });
    if hours.count() > 1 {
        return Some(vec![Step::ask(
            "I add one time after the other. At which time (UTC) shall it come first? Tell me the other in a sentence of its own.",
        )]);
    }
    if let Some(odd) = odd_word(clause) {
        return Some(vec![Step::ask(format!(
            "I am not sure what \"{odd}\" means there. When shall the {what} come: daily, weekly, monthly or once, and at what time (UTC)?"
        ))]);
    }
    let adds = [
        Sense::Briefing,
        Sense::Send,
        Sense::Schedule,
        Sense::Want,
        Sense::Make,
        Sense::Set,
        Sense::Show,
        Sense::Move,
    ]
    .iter()
    .any(|sense| clause.orders(*sense));
    let repeats =
        clause.mood == Mood::Statement && clause.says_any(&["daily", "weekly", "monthly", "every", "each"]);
    let for_me = !clause.is_question() && !clause.negated && clause.says("me") && when(clause).is_some();
    if !adds && !repeats && !for_me {
        return None;
    }
    if clause.says_any(&["weekday", "weekdays", "weekend", "weekends", "hourly", "hour", "minute", "minutes"])
    {
        return Some(vec![Step::ask(
            "I can send it daily, weekly, monthly or once. Which shall it be, and at what time (UTC)?",
        )]);
    }
    match when(clause) {
        // A number that is no time we know ("half past 7", "every 2 weeks") must not be lost.
        Some(_) if !clause.slots.numbers.is_empty() => Some(vec![Step::ask(format!(
            "At what time (UTC) shall the {what} come? Please give it in hours and minutes, and daily, weekly, monthly or once."
        ))]),
        Some(when) => {
            let when = zone::of(clause).map_or(when.clone(), |zone| format!("{when} {zone}"));
            Some(vec![Step::call("gf_schedule", json!({ "action": "add", "what": what, "when": when }))])
        }
        None if clause.orders(Sense::Schedule) => Some(vec![Step::ask(format!(
            "When shall the {what} come: daily, weekly or once, and at what time (UTC)?"
        ))]),
        None if what == "briefing" && !clause.head_is(Sense::Show) => {
            Some(vec![Step::call("gf_fleet_status", json!({})), Step::call("gf_cost_report", json!({}))])
        }
        None => None,
    }
}

pub fn question(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let asks = clause.is_question()
        || clause.head_is(Sense::Show)
        || clause.head_is(Sense::Schedule)
        || clause.head_is(Sense::Want);
    let topic =
        clause.has(Sense::Schedule) || (clause.has(Sense::Briefing) && clause.says_any(&["when", "next"]));
    let topic = topic
        || (clause.is_question()
            && clause.has(Sense::Report)
            && clause.says_any(&["get", "receive", "send", "when"]));
    (asks && topic).then(|| vec![Step::call("gf_schedule", json!({ "action": "list" }))])
}

/// A word that nobody knows, or an "every" of something that is no time.
fn odd_word(clause: &Clause) -> Option<&str> {
    const TIMES: [&str; 9] =
        ["day", "morning", "evening", "week", "month", "night", "weekday", "mornings", "hour"];
    let unknown = |token: &&Token| {
        let plain = token.kind == Kind::Word
            && token.senses.is_empty()
            && token.text.len() > 3
            && token.text.bytes().all(|b| b.is_ascii_alphabetic());
        plain
            && !Lexicon::get().is_english(&token.text)
            && !DAYS.iter().any(|day| token.text.starts_with(day))
            && !zone::names(token)
    };
    let no_time = clause.tokens.windows(2).find(|pair| {
        let timed =
            TIMES.contains(&pair[1].text.as_str()) || DAYS.iter().any(|day| pair[1].text.starts_with(day));
        matches!(pair[0].text.as_str(), "every" | "each") && !timed && pair[1].kind == Kind::Word
    });
    no_time
        .map(|pair| &pair[1])
        .or_else(|| clause.tokens.iter().find(unknown))
        .map(|token| token.raw.as_str())
}

fn what(clause: &Clause) -> Option<&'static str> {
    if clause.has(Sense::Briefing) {
        return Some("briefing");
    }
    let each = clause.says_any(&["every", "each", "weekly", "daily", "monthly"]);
    if clause.has(Sense::Cost) && clause.has(Sense::Send) && each {
        return Some("cost report");
    }
    if !clause.has(Sense::Report) {
        return None;
    }
    match () {
        () if clause.has(Sense::Cost) => Some("cost report"),
        () if clause.says("capacity") => Some("capacity report"),
        () if clause.has(Sense::Health) || clause.has(Sense::Fleet) => Some("health report"),
        () if clause.says_any(&["summary", "digest"])
            && clause.any(&[Sense::Send, Sense::Schedule, Sense::Want]) =>
        {
            Some("briefing")
        }
        () => None,
    }
}

fn when(clause: &Clause) -> Option<String> {
    let day = DAYS.iter().find(|day| clause.says(day) || clause.says(&format!("{day}s")));
    let at = |hour: u8| {
        let (hour, minute) = clause.slots.clock.unwrap_or((hour, 0));
        format!("{hour:02}:{minute:02}")
    };
    let each = clause.says_any(&["every", "each"]);
    match () {
        () if day.is_some() => day.map(|day| format!("weekly {day} {}", at(8))),
        () if clause.says_any(&["weekly"]) || (each && clause.says("week")) => {
            Some(format!("weekly monday {}", at(8)))
        }
        () if clause.says_any(&["monthly"]) || (each && clause.says("month")) => {
            Some(format!("monthly 1 {}", at(7)))
        }
        () if clause.says_any(&["daily", "mornings"]) || (each && clause.says_any(&["day", "morning"])) => {
            Some(format!("daily {}", at(7)))
        }
        () if each && clause.says("evening") => Some(format!("daily {}", at(18))),
        () if clause.says_any(&["morning", "tomorrow"]) || clause.slots.clock.is_some() => {
            Some(format!("next {}", at(7)))
        }
        () if clause.says_any(&["tonight", "evening"]) => Some(format!("next {}", at(18))),
        () => None,
    }
}
