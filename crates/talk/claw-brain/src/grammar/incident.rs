//! Incident records: open one, close one, look at one or all.

use super::{Scene, pick};
use crate::{
    language::{Clause, Kind, Mood, Sense},
    step::{Step, put},
};
use serde_json::json;

/// "Close the first one", "what about the second?", of the incidents that were just listed.
pub fn shown(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let listed = scene.memory.incidents_shown();
    let slots = &clause.slots;
    if listed.is_empty()
        || clause.negated
        || !slots.incidents.is_empty()
        || !slots.accounts.is_empty()
        || clause.has(Sense::Account)
    {
        return None;
    }
    let chosen = match (slots.ordinals.as_slice(), listed.as_slice()) {
        ([], [only]) if clause.has(Sense::Pronoun) && slots.is_empty() => vec![only.clone()],
        ([], [_, _]) if clause.has(Sense::Both) && slots.is_empty() => listed.clone(),
        ([], _) => return None,
        _ => pick::nth(clause, &listed)?,
    };
    let status = status(clause);
    let marks = clause.orders(Sense::Resolve) || clause.orders(Sense::Set) || is_mark(clause);
    let call = |id: &String| match status {
        Some(status) if marks => {
            Step::call("gf_incident_report", json!({ "action": "update", "id": id, "status": status }))
        }
        _ => Step::call("gf_incident_report", json!({ "action": "get", "id": id })),
    };
    let looks = clause.is_question() || clause.any(&[Sense::Show, Sense::Check, Sense::Want]);
    (marks && status.is_some() || looks && !clause.any(super::CHANGES))
        .then(|| chosen.iter().map(call).collect())
}

/// What an incident is said to be from now on.
fn status(clause: &Clause) -> Option<&'static str> {
    let named = ["resolved", "mitigated", "open"].into_iter().find(|status| clause.says(status));
    named.or_else(|| {
        clause.orders(Sense::Resolve).then(|| if clause.says("mitigate") { "mitigated" } else { "resolved" })
    })
}

fn is_mark(clause: &Clause) -> bool {
    !clause.negated
        && !clause.is_question()
        && clause.tokens.get(clause.head).is_some_and(|head| matches!(head.text.as_str(), "mark" | "flag"))
}

fn severity(clause: &Clause) -> Option<&'static str> {
    ["critical", "high", "warning", "info"].into_iter().find(|severity| clause.says(severity))
}

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let graded = clause.orders(Sense::Open)
        || clause.orders(Sense::Move)
        || clause.orders(Sense::Set)
        || clause.orders(Sense::Make)
        || clause.orders(Sense::Resize)
        || is_mark(clause)
        || !clause.is_question()
            && clause.tokens.get(clause.head).is_some_and(|head| {
                matches!(
                    head.text.as_str(),
                    "lower" | "escalate" | "elevate" | "bump" | "reduce" | "upgrade" | "downgrade"
                )
            });
    if let [id] = clause.slots.incidents.as_slice()
        && let Some(severity) = severity(clause)
        && graded
        && !clause.says_any(&["resolved", "mitigated"])
        && !clause.tokens.iter().any(|token| token.kind == Kind::Break(':'))
    {
        return Some(vec![Step::call(
            "gf_incident_report",
            json!({ "action": "update", "id": id, "severity": severity }),
        )]);
    }
    if let [id] = clause.slots.incidents.as_slice()
        && clause.orders(Sense::Make)
        && clause.says_any(&["note", "entry", "line", "comment"])
    {
        return Some(match title(clause).or_else(|| after_note(clause)) {
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
    // "inc-03b1 is mitigated" reports how it stands, which is what the record is for; "over" could be anything.
    if let [id] = clause.slots.incidents.as_slice()
        && clause.mood == Mood::Statement
        && clause.says("is")
        && let Some(status) = ["resolved", "mitigated"].into_iter().find(|status| clause.says(status))
        && clause.tokens.iter().filter(|token| !token.is_break()).all(|token| {
            matches!(token.kind, Kind::Incident(_))
                || matches!(token.text.as_str(), "is" | "now" | "incident" | "already")
                || token.text == status
                || token.is(Sense::Resolve)
        })
    {
        return Some(vec![Step::call(
            "gf_incident_report",
            json!({ "action": "update", "id": id, "status": status }),
        )]);
    }
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
        && (noting
            || clause.phrase("root cause of") && clause.mood == Mood::Statement
            || clause.orders(Sense::Make)
            || clause.orders(Sense::Set))
        && !clause.is_question()
    {
        let quoted = clause.slots.quotes.first().cloned();
        let words = quoted.clone().or_else(|| said_after(clause));
        let key = if clause.phrase("root cause") || clause.says("cause") { "rootCause" } else { "entry" };
        let noted = quoted.is_some()
            || clause.tokens.iter().any(|token| token.kind == Kind::Break(':'))
            || key == "rootCause";
        if let Some(words) = words.filter(|_| noted) {
            return Some(vec![Step::call(
                "gf_incident_report",
                json!({ "action": "update", "id": id, key: words }),
            )]);
        }
    }
    if let [id] = clause.slots.incidents.as_slice() {
        let marks = clause.orders(Sense::Resolve)
            || clause.orders(Sense::Set)
            || clause.orders(Sense::Move)
            || clause.orders(Sense::Open)
            || is_mark(clause);
        let status = status(clause)?;
        return (marks && !clause.is_question()).then(|| {
            vec![Step::call("gf_incident_report", json!({ "action": "update", "id": id, "status": status }))]
        });
    }
    // "New incident: Vultr Amsterdam is unreachable"
    let new = clause.mood == Mood::Statement
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "new")
        && clause.tokens.iter().any(|token| token.kind == Kind::Break(':'));
    let opens = new
        || (clause.orders(Sense::Open) && clause.head_is(Sense::Open))
        || clause.orders(Sense::Make)
        || (!clause.is_question()
            && clause
                .tokens
                .get(clause.head)
                .is_some_and(|head| matches!(head.text.as_str(), "log" | "record" | "write")));
    if !clause.has(Sense::Incident) || !opens {
        return None;
    }
    let Some(title) = title(clause).or_else(|| scene.memory.trouble_shown()) else {
        return Some(vec![Step::ask("What shall the incident be called?")]);
    };
    let mut arguments = json!({ "action": "create", "title": title });
    put(&mut arguments, "severity", severity(clause));
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

/// "Add a note that …", without the id that may stand behind it.
fn after_note(clause: &Clause) -> Option<String> {
    let at =
        clause.tokens.iter().position(|token| matches!(token.text.as_str(), "that" | "saying" | "says"))?;
    let rest = clause.tokens[at + 1..]
        .iter()
        .filter(|token| !token.is_break() && !matches!(token.kind, Kind::Incident(_)));
    let words: Vec<&str> = rest.map(|token| token.raw.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
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
    // "For this": what was just shown has the words.
    let pointing = matches!(words.as_slice(), ["this" | "that" | "it"]);
    (!words.is_empty() && !pointing).then(|| words.join(" "))
}
