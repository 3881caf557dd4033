//! A place that looks dark: everybody who can leaves it, who is left, whether it is back.
//!
//! Only an order moves anybody; which place is meant may come from what was looked at just before.

use super::Scene;
use crate::{
    language::Sense,
    step::{Step, put},
};
use serde_json::{Value, json};

/// The place that the message names, or that was looked at last.
fn place(scene: &Scene) -> Option<(Value, bool)> {
    let slots = &scene.clause.slots;
    let mut named = json!({});
    put(&mut named, "provider", slots.provider());
    put(&mut named, "region", slots.regions.first().map(String::as_str));
    if named != json!({}) {
        // A city alone is one of the provider's that was spoken of.
        let looked_at = scene.memory.last_place();
        if slots.provider().is_none()
            && let Some(provider) = looked_at.as_ref().and_then(|place| place["provider"].as_str())
        {
            put(&mut named, "provider", Some(provider));
        }
        let known = looked_at.is_some_and(|place| place["provider"] == named["provider"]);
        return Some((named, known));
    }
    scene.memory.last_place().map(|place| (place, true))
}

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let everybody = clause.says_any(&["them", "everyone", "everybody", "all"]);
    let one = clause.says_any(&["it", "this", "that"]);
    let leaves = ["out of", "off", "away from"].iter().any(|said| clause.phrase(said));
    let leaves =
        leaves && (clause.orders(Sense::Move) || clause.orders(Sense::Want)) && clause.slots.tiers.is_empty();
    let evacuates = clause.orders(Sense::Failover)
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "evacuate");
    if !(clause.orders(Sense::Failover) || leaves)
        || !(everybody || evacuates)
        || one
        || clause.negated
        || !(slots.accounts.is_empty() && slots.ordinals.is_empty() && slots.instances.is_empty())
    {
        return None;
    }
    let (place, looked_at) = place(scene)?;
    // A whole provider is not left for a word: its region is named, or was looked at just before, or it is said that
    // all of it is meant, of a provider that was asked just before.
    let not_only = clause.phrase("not just") || clause.phrase("not only");
    let whole = looked_at && slots.provider().is_some() && not_only;
    if !whole && (!looked_at && slots.regions.is_empty() || place.get("region").is_none()) {
        return None;
    }
    let place = if whole { json!({ "provider": slots.provider() }) } else { place };
    let provider = place["provider"].as_str().map(str::to_owned);
    let mut arguments = place;
    put(&mut arguments, "reason", Some("outage"));
    let mut steps = Vec::new();
    // The provider is asked before anybody is moved for its sake.
    if let Some(provider) = provider.filter(|_| !looked_at) {
        steps.push(Step::call("gf_provider_health", json!({ "provider": provider })));
    }
    steps.push(Step::call("gf_failover", arguments));
    Some(steps)
}

pub fn question(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let left = ["what is left", "who is left", "how many are left", "anyone left", "anybody left"];
    if left.iter().any(|said| clause.phrase(said)) {
        let place = scene.memory.last_place()?;
        return Some(vec![Step::call("gf_fleet_status", place)]);
    }
    let names_place = clause.slots.provider().is_some() || !clause.slots.regions.is_empty();
    let back = ["is back", "back up", "up again", "back again", "back online", "back yet"];
    let back = back.iter().any(|said| clause.phrase(said))
        || clause.says_any(&["back", "recovered"]) && clause.is_question();
    if !back || !names_place || !clause.is_question() || !clause.slots.accounts.is_empty() {
        return None;
    }
    let (place, _) = place(scene)?;
    let mut arguments = json!({});
    put(&mut arguments, "provider", place["provider"].as_str());
    Some(vec![Step::call("gf_provider_health", arguments)])
}
