//! Reports that come by themselves: add, remove, list.

use super::Scene;
use crate::{
    language::{Clause, Mood, Sense},
    step::Step,
};
use serde_json::json;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let asks_entry = clause.orders(Sense::Schedule)
        && !clause.is_question()
        && clause.head_is(Sense::Schedule)
        && clause.tokens.len() > 2;
    let Some(what) = what(clause) else {
        return (asks_entry && !clause.says("scheduled"))
            .then(|| vec![Step::ask("I can schedule a briefing, a cost report, a health report or a capacity report. Which, and when (UTC)?")]);
    };
    if [Sense::Cancel, Sense::Remove, Sense::Stop].iter().any(|sense| clause.orders(*sense))
        || (clause.negated && clause.has(Sense::Send))
    {
        return Some(vec![Step::call("gf_schedule", json!({ "action": "remove", "what": what }))]);
    }
    let adds =
        [Sense::Briefing, Sense::Send, Sense::Schedule, Sense::Want, Sense::Make, Sense::Set, Sense::Show]
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
        Some(when) => {
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

fn what(clause: &Clause) -> Option<&'static str> {
    if clause.has(Sense::Briefing) {
        return Some("briefing");
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
