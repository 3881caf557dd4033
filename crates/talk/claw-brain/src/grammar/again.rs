//! Follow-ups to what was just looked at: "and now?", "what about Contabo?", "which are they?", "did everyone get it?".
//!
//! It repeats or varies a look that was made; it never changes anything.

use super::Scene;
use crate::{
    envelope::ToolUse,
    language::{Clause, Mood, Sense},
    step::Step,
};
use serde_json::{Value, json};

/// A short message that names one new thing, or none, after a look.
pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let last = scene.memory.last_use()?;
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    if words > 8 || clause.negated || !scene.earlier.is_empty() || !looks(last) {
        return None;
    }
    let repeats = [
        "and now",
        "again",
        "once more",
        "any better",
        "better now",
        "any change",
        "refresh",
        "update me",
        "still",
    ]
    .iter()
    .any(|said| clause.phrase(said));
    let asks =
        clause.is_question() || clause.mood == Mood::Statement || clause.any(&[Sense::Show, Sense::Check]);
    if repeats && asks && clause.slots.is_empty() && !acts(clause) {
        let mut arguments = last.arguments.clone();
        if last.tool == "gf_operation"
            && let Some(id) = scene.memory.last_work()
        {
            arguments["id"] = json!(id);
        }
        if last.tool == "gf_instance_health" {
            arguments["live"] = json!(true);
        }
        return Some(vec![Step::call(&last.tool, arguments)]);
    }
    if last.tool == "gf_fleet_status" && in_detail(clause) {
        let mut arguments = last.arguments.clone();
        arguments["detail"] = json!("full");
        return Some(vec![Step::call(&last.tool, arguments)]);
    }
    let varies =
        matches!(clause.tokens.first()?.text.as_str(), "and" | "or" | "same" | "also" | "but" | "ok")
            || clause.phrase("what about")
            || clause.phrase("how about");
    varies.then(|| varied(clause, last)).flatten().filter(|_| !acts(clause))
}

/// A question that names nothing is about what was spoken of last.
pub fn about_it(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let last = scene.memory.last_use()?;
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let elsewhere = clause.any(&[Sense::Fleet, Sense::Provider, Sense::Cost, Sense::Incident, Sense::Audit]);
    let asks = clause.is_question() || clause.any(&[Sense::Check, Sense::Show]);
    if !asks || words > 9 || !clause.slots.is_empty() || elsewhere || clause.negated {
        return None;
    }
    let about_all = clause.any(&[Sense::All, Sense::Exposure])
        || clause.says_any(&[
            "flagged",
            "left",
            "remaining",
            "missing",
            "affected",
            "exactly",
            "which",
            "who",
            "wrong",
        ]);
    let points = clause.any(&[Sense::Pronoun, Sense::Primary, Sense::Standby])
        || clause.says_any(&["its", "their", "he", "she"]);
    let work = scene.memory.last_work().filter(|_| !looks(last) || last.tool == "gf_operation");
    match work {
        Some(id) if about_all || points => {
            Some(vec![Step::call("gf_operation", json!({ "id": id, "action": "get" }))])
        }
        None if points && looks(last) => Some(vec![Step::call(&last.tool, last.arguments.clone())]),
        _ => None,
    }
}

fn looks(used: &ToolUse) -> bool {
    gf_tools::tool(&used.tool).is_some_and(|tool| tool.only_reads(&used.arguments))
        && used.reply["error"].is_null()
}

fn acts(clause: &Clause) -> bool {
    clause.mood == Mood::Order && !clause.any(&[Sense::Show, Sense::Check, Sense::Want])
}

fn in_detail(clause: &Clause) -> bool {
    let listing = clause.phrase("which are they")
        || clause.phrase("which ones")
        || clause.phrase("what are they")
        || clause.phrase("who are they")
        || clause.says_any(&["detail", "details", "detailed", "elaborate", "breakdown"])
        || (clause.any(&[Sense::Show])
            && clause.any(&[Sense::Pronoun, Sense::All])
            && clause.slots.is_empty());
    listing && clause.slots.is_empty()
}

/// The look with the one thing that was said now in place of what it was about.
fn varied(clause: &Clause, last: &ToolUse) -> Option<Vec<Step>> {
    let slots = &clause.slots;
    let mut arguments = last.arguments.clone();
    let period = ["day", "week", "month"]
        .into_iter()
        .find(|period| clause.says(period) || (*period == "day" && clause.says("today")));
    let placed = slots.provider().is_some() || !slots.regions.is_empty();
    let tool = match (last.tool.as_str(), slots.accounts.as_slice(), slots.instances.as_slice()) {
        (_, [account], []) => {
            arguments = json!({ "accountId": account });
            "gf_pair_status"
        }
        (_, [], [instance]) => {
            arguments = json!({ "instanceId": instance });
            "gf_instance_health"
        }
        ("gf_fleet_status", [], []) if placed || !slots.states.is_empty() => {
            set(&mut arguments, "provider", slots.provider());
            set(&mut arguments, "region", slots.regions.first().map(String::as_str));
            set(&mut arguments, "status", slots.states.first().map(String::as_str));
            "gf_fleet_status"
        }
        ("gf_provider_health", [], []) if slots.provider().is_some() => {
            set(&mut arguments, "provider", slots.provider());
            "gf_provider_health"
        }
        ("gf_cost_report", [], []) if period.is_some() => {
            set(&mut arguments, "period", period);
            "gf_cost_report"
        }
        _ => return None,
    };
    Some(vec![Step::call(tool, arguments)])
}

fn set(arguments: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        arguments[key] = json!(value);
    }
}
