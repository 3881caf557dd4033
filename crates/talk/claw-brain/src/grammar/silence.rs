//! Alerts kept quiet for a while, for one provider, region or instance.

use super::Scene;
use crate::{
    language::{Mood, Sense, Slots},
    step::Step,
};
use serde_json::json;

/// "Make it 45 minutes", right after a silence: the same for another length.
pub fn lengthened(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let last = scene
        .memory
        .last_use()
        .filter(|used| used.tool == "gf_alerts_silence" && used.reply["error"].is_null())?;
    // "Same for Contabo"
    let same = clause.phrase("same for") || clause.phrase("the same at");
    let slots = &clause.slots;
    let scopes: Vec<&String> = slots
        .providers
        .iter()
        .map(|placed| &placed.provider)
        .chain(&slots.regions)
        .chain(&slots.instances)
        .collect();
    if let ([scope], true, None) = (scopes.as_slice(), same && !clause.is_question(), slots.minutes) {
        let mut arguments = last.arguments.clone();
        arguments["scope"] = json!(scope);
        return Some(vec![Step::call("gf_alerts_silence", arguments)]);
    }
    let minutes = clause.slots.minutes?;
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let other = !Slots { minutes: None, numbers: Vec::new(), ..clause.slots.clone() }.is_empty();
    let says = clause.says_any(&[
        "make", "only", "just", "instead", "actually", "rather", "extend", "change", "no", "better",
    ]);
    if other || !says || words > 8 || clause.negated || clause.is_question() || !scene.earlier.is_empty() {
        return None;
    }
    if clause.says_any(&["by", "more", "another", "longer", "additional"]) {
        return Some(vec![Step::ask("For how many minutes from now shall it be quiet, all in all?")]);
    }
    let mut arguments = last.arguments.clone();
    arguments["minutes"] = json!(minutes);
    Some(vec![Step::call("gf_alerts_silence", arguments)])
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let stop_alerts = clause.orders(Sense::Stop) && clause.has(Sense::Alert);
    let wanted = clause.head_is(Sense::Want) && clause.slots.minutes.is_some();
    let not_alerted =
        clause.negated && clause.has(Sense::Alert) && (clause.says_any(&["me", "us"]) || wanted);
    let kept =
        clause.head_is(Sense::Keep) && clause.has(Sense::Silence) && !clause.negated && !clause.is_question();
    let none = clause.mood == Mood::Statement
        && clause.has(Sense::Alert)
        && clause.slots.minutes.is_some()
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "no")
        && !clause.says_any(&["last", "past", "since", "in", "were", "was", "had", "been"]);
    if !none && !clause.orders(Sense::Silence) && !kept && !stop_alerts && !not_alerted {
        return None;
    }
    let slots = &clause.slots;
    let pointed = scene
        .pointed_instance()
        .filter(|_| clause.says_any(&["it", "that", "this"]))
        .or_else(|| scene.pointed_provider().filter(|_| clause.any(&[Sense::Pronoun, Sense::Place])));
    let scopes: Vec<&str> = if !slots.instances.is_empty() {
        slots.instances.iter().map(String::as_str).collect()
    } else if !slots.regions.is_empty() {
        slots.regions.iter().map(String::as_str).collect()
    } else {
        let named = slots.providers.iter().map(|placed| placed.provider.as_str());
        named.chain(pointed.as_deref().filter(|_| slots.providers.is_empty())).collect()
    };
    if scopes.is_empty() {
        return Some(vec![Step::ask(
            "Alerts of what shall I silence: which provider, region or instance? Never the whole fleet.",
        )]);
    }
    let Some(minutes) = slots.minutes else {
        return Some(vec![Step::ask("For how many minutes shall I silence it?")]);
    };
    let reason = if clause.says("maintenance") { "maintenance" } else { "operator request" };
    let silence = |scope: &&str| {
        Step::call("gf_alerts_silence", json!({ "scope": scope, "minutes": minutes, "reason": reason }))
    };
    Some(scopes.iter().map(silence).collect())
}
