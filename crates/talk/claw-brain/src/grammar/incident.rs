//! Incident records: open one, close one, look at one or all.

use super::Scene;
use crate::{
    language::{Clause, Kind, Mood, Sense},
    step::{Step, put},
};
use serde_json::json;

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if let [id] = clause.slots.incidents.as_slice()
        && clause.orders(Sense::Make)
        && clause.says_any(&["note", "entry", "line", "comment"])
    {
        return Some(match title(clause) {
            Some(entry) => vec![Step::call(
                "gf_incident_report",
                json!({ "action": "update", "id": id, "entry": entry }),
            )],
            None => vec![Step::ask("What shall the note say?")],
        });
    }
    let noting = clause
        .tokens
        .get(clause.head)
        .is_some_and(|head| matches!(head.text.as_str(), "note" | "comment" | "log" | "write" | "append"));
    if let [id] = clause.slots.incidents.as_slice()
        && clause.mood == Mood::Statement
        && clause.says_any(&["resolved", "mitigated", "over", "fixed", "closed"])
        && clause.says("is")
    {
        return Some(vec![Step::ask(format!(
            "Shall I write that into {id}? Then say: mark {id} as resolved, or as mitigated."
        ))]);
    }
    if let [id] = clause.slots.incidents.as_slice()
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "reopen")
        && !clause.is_question()
    {
        return Some(vec![Step::call(
            "gf_incident_report",
            json!({ "action": "update", "id": id, "status": "open" }),
        )]);
    }
    if let [id] = clause.slots.incidents.as_slice()
        && (noting || clause.orders(Sense::Make) || clause.orders(Sense::Set))
        && !clause.is_question()
    {
        let words = said_after(clause);
        let key = if clause.phrase("root cause") || clause.says("cause") { "rootCause" } else { "entry" };
        let noted = clause.tokens.iter().any(|token| token.kind == Kind::Break(':')) || key == "rootCause";
        if let Some(words) = words.filter(|_| noted) {
            return Some(vec![Step::call(
                "gf_incident_report",
                json!({ "action": "update", "id": id, key: words }),
            )]);
        }
    }
    if let [id] = clause.slots.incidents.as_slice() {
        let status = ["resolved", "mitigated", "open"].into_iter().find(|status| clause.says(status));
        let marks = clause.orders(Sense::Resolve)
            || clause.orders(Sense::Set)
            || clause.orders(Sense::Move)
            || clause.orders(Sense::Open)
            || clause.tokens.get(clause.head).is_some_and(|t| t.text == "mark");
        let status = status.or_else(|| clause.orders(Sense::Resolve).then_some("resolved"))?;
        return (marks && !clause.is_question()).then(|| {
            vec![Step::call("gf_incident_report", json!({ "action": "update", "id": id, "status": status }))]
        });
    }
    let opens = (clause.orders(Sense::Open) && clause.head_is(Sense::Open))
        || clause.orders(Sense::Make)
        || (!clause.is_question()
            && clause
                .tokens
                .get(clause.head)
                .is_some_and(|head| matches!(head.text.as_str(), "log" | "record" | "write")));
    if !clause.has(Sense::Incident) || !opens {
        return None;
    }
    let Some(title) = title(clause) else {
        return Some(vec![Step::ask("What shall the incident be called?")]);
    };
    let mut arguments = json!({ "action": "create", "title": title });
    let severity = ["critical", "high", "warning", "info"].into_iter().find(|severity| clause.says(severity));
    put(&mut arguments, "severity", severity);
    let subjects = subjects(clause);
    put(&mut arguments, "subjects", (!subjects.is_empty()).then_some(subjects));
    Some(vec![Step::call("gf_incident_report", arguments)])
}

/// What the incident is about: everything that it names.
fn subjects(clause: &Clause) -> Vec<String> {
    let slots = &clause.slots;
    let providers = slots.providers.iter().map(|placed| &placed.provider);
    let named = slots.accounts.iter().chain(&slots.instances).chain(providers).chain(&slots.regions);
    named.cloned().collect()
}

pub fn question(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if let [id, ..] = clause.slots.incidents.as_slice() {
        return Some(vec![Step::call("gf_incident_report", json!({ "action": "get", "id": id }))]);
    }
    // Whether a provider has an outage is the provider's to say.
    if !clause.has(Sense::Incident) || clause.slots.provider().is_some() {
        return None;
    }
    let mut arguments = json!({ "action": "list" });
    let status = ["open", "resolved", "mitigated"].into_iter().find(|status| clause.says(status));
    put(&mut arguments, "status", status);
    Some(vec![Step::call("gf_incident_report", arguments)])
}

/// What stands after the incident's id and a colon, "to" or "is".
fn said_after(clause: &Clause) -> Option<String> {
    let id = clause.tokens.iter().position(|token| matches!(token.kind, Kind::Incident(_)))?;
    let rest = clause.tokens[id + 1..]
        .iter()
        .skip_while(|token| token.is_break() || matches!(token.text.as_str(), "to" | "is" | "as"));
    let words: Vec<&str> = rest.filter(|token| !token.is_break()).map(|token| token.raw.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A quotation, or what follows a colon, "about" or "titled".
fn title(clause: &Clause) -> Option<String> {
    if let [quote] = clause.slots.quotes.as_slice() {
        return Some(quote.clone());
    }
    let start = clause.tokens.iter().position(|token| {
        token.kind == Kind::Break(':')
            || matches!(token.text.as_str(), "about" | "titled" | "called" | "named" | "for" | "because")
    })?;
    let words: Vec<&str> =
        clause.tokens[start + 1..].iter().filter(|t| !t.is_break()).map(|t| t.raw.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
