//! How providers do.

use super::Scene;
use crate::{
    language::Sense,
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    // "Should we stop provisioning there?" speaks of the provider that was named just before.
    let there = || {
        scene
            .earlier
            .iter()
            .rev()
            .find_map(|clause| clause.slots.provider())
            .filter(|_| clause.has(Sense::Place))
    };
    // "Why is it so slow?", right after a look at one.
    let pointed = scene.pointed_provider().filter(|_| {
        clause.is_question()
            && slots.is_empty()
            && clause.has(Sense::Pronoun)
            && clause.any(&[Sense::Health, Sense::Trouble, Sense::Incident])
            && scene.memory.last_use().is_some_and(|used| used.tool == "gf_provider_health")
    });
    let provider = slots.provider().or_else(there).or(pointed.as_deref());
    if provider.is_none() && !clause.has(Sense::Provider) {
        return None;
    }
    // "How long does Contabo take to build a box?" is about the provider, not about its boxes.
    let paces = clause.says_any(&["long", "quickly", "fast", "slow", "slower", "average", "time", "times"])
        && clause.any(&[Sense::Make])
        && clause.is_question();
    let counts_fleet = !paces
        && (clause.any(&[Sense::Account, Sense::Instance, Sense::Fleet, Sense::Exposure, Sense::Alert])
            || clause.says_any(&["running", "many"])
            || clause.phrase("what is on")
            || clause.phrase("what is at")
            || !slots.states.is_empty());
    if counts_fleet || clause.negated {
        return None;
    }
    let history = clause.says_any(&["history", "trend", "daily"])
        || [
            "over time",
            "last week",
            "past week",
            "per day",
            "each day",
            "by day",
            "day by day",
            "last days",
            "lately",
        ]
        .iter()
        .any(|said| clause.phrase(said))
        || clause.says_any(&["developed", "development", "evolved", "graph", "week"])
            && clause.is_question()
            && !clause.says("slow");
    let look = |provider: Option<&str>| {
        let mut arguments = json!({});
        put(&mut arguments, "provider", provider);
        put(&mut arguments, "history", history.then_some(true));
        Step::call("gf_provider_health", arguments)
    };
    let mut steps: Vec<Step> = Vec::new();
    for placed in &slots.providers {
        let step = look(Some(&placed.provider));
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    if steps.is_empty() {
        steps.push(look(provider));
    }
    Some(steps)
}
