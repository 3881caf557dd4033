//! The fleet as a whole, or a part of it.

use super::Scene;
use crate::{
    language::{Clause, Sense},
    step::{Step, put},
};
use serde_json::json;

const GREETINGS: [&str; 27] = [
    "need to approve",
    "have to approve",
    "have i missed",
    "back to normal",
    "anything unusual",
    "what is left",
    "who is left",
    "where do we stand",
    "are we good",
    "all good",
    "all green",
    "everything green",
    "what is happening",
    "what is up",
    "quick update",
    "an update",
    "update please",
    "status update",
    "state of",
    "anything new",
    "survive",
    "are we up",
    "are we ok",
    "version of the config",
    "being provision",
    "everything good",
    "any update",
];
const ABOUT: &[Sense] = &[
    Sense::Fleet,
    Sense::Health,
    Sense::Alert,
    Sense::Trouble,
    Sense::Account,
    Sense::Instance,
    Sense::Unprotected,
    Sense::Standby,
    Sense::Exposure,
    Sense::Operation,
    Sense::Progress,
];

/// "Which gateway is the slowest?": one by name, not the whole list.
pub fn extreme(scene: &Scene) -> Option<Vec<Step>> {
    const LOWEST: [&str; 5] = ["slowest", "worst", "lowest", "weakest", "unhealthiest"];
    const HIGHEST: [&str; 4] = ["fastest", "healthiest", "highest", "best"];
    let clause = scene.clause;
    let most = clause.phrase("most slow") || clause.phrase("least healthy");
    let lowest = most || clause.says_any(&LOWEST);
    let highest = clause.says_any(&HIGHEST) || clause.phrase("most healthy");
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let things = clause.any(&[Sense::Account, Sense::Instance, Sense::Fleet, Sense::Pronoun, Sense::All]);
    let elsewhere =
        clause.any(&[Sense::Provider, Sense::Cost, Sense::Incident, Sense::Operation, Sense::Thanks])
            || clause.any(super::CHANGES);
    let asks = clause.is_question() || clause.any(&[Sense::Show, Sense::Check]) || words <= 3;
    let things = things || clause.says_any(&["which", "who"]);
    if lowest == highest || !(things || words <= 2) || !asks || elsewhere || clause.negated {
        return None;
    }
    let mut arguments = json!({ "detail": "full" });
    put(&mut arguments, "provider", clause.slots.provider());
    put(&mut arguments, "region", clause.slots.regions.first().map(String::as_str));
    Some(vec![Step::call("gf_fleet_status", arguments), Step::Extreme { lowest }])
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let greeting = clause.phrase("how is everything")
        || clause.phrase("what is new")
        || clause.phrase("what is on")
        || clause.phrase("what is at")
        || clause.says("revision")
        || clause.phrase("how are we")
        || clause.phrase("how are things")
        || GREETINGS.iter().any(|said| clause.phrase(said))
        || clause.says("report") && clause.tokens.iter().filter(|token| !token.is_break()).count() <= 2
        || clause.phrase("going on");
    let about = clause.any(ABOUT) || greeting || !slots.states.is_empty() || clause.says("running");
    let acts = clause.mood == crate::language::Mood::Order
        && !clause.any(&[Sense::Show, Sense::Check, Sense::Want])
        && !clause.head_is(Sense::Report);
    let of_plan = clause.has(Sense::Exposure) && slots.is_empty() && scene.memory.planned().is_some();
    if of_plan || !about || acts || clause.negated || refers_elsewhere(clause) {
        return None;
    }
    let earlier = || {
        scene
            .earlier
            .iter()
            .rev()
            .find(|clause| clause.slots.provider().is_some() || !clause.slots.regions.is_empty())
    };
    let place = if slots.providers.is_empty() && slots.regions.is_empty() && clause.has(Sense::Exposure) {
        earlier().map_or(slots, |clause| &clause.slots)
    } else {
        slots
    };
    let mut arguments = json!({});
    put(&mut arguments, "provider", place.provider());
    put(&mut arguments, "region", place.regions.first().map(String::as_str));
    // "Our exposure there?": where we just looked.
    if arguments == json!({})
        && (clause.has(Sense::Place) || clause.has(Sense::Exposure) && scene.memory.trouble_shown().is_some())
        && scene.earlier.is_empty()
        && let Some(place) = scene.memory.last_place()
    {
        arguments = place;
    }
    let state = slots
        .states
        .first()
        .map(String::as_str)
        .filter(|state| !(*state == "ACTIVE" && clause.has(Sense::Alert)));
    put(&mut arguments, "status", state);
    put(&mut arguments, "detail", one_by_one(clause).then_some("full"));
    let mut steps = vec![Step::call("gf_fleet_status", arguments)];
    if let Some(provider) = place.provider().filter(|_| clause.has(Sense::Exposure) && !is_supposed(clause)) {
        // What looks dark from here may be our own eyes: the provider is asked first.
        steps.insert(0, Step::call("gf_provider_health", json!({ "provider": provider })));
    }
    Some(steps)
}

/// "If Hetzner went dark, who could move?", "what happens to us without Contabo": who stands there, and who could leave.
pub fn supposed(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let placed = |clause: &Clause| clause.slots.provider().is_some() || !clause.slots.regions.is_empty();
    let opens = |clause: &Clause| clause.tokens.first().is_some_and(|first| first.text == "if");
    let before = scene.earlier.iter().find(|before| opens(before) && placed(before));
    let gone = |clause: &Clause| {
        clause.any(&[Sense::Trouble, Sense::Exposure])
            || clause.says_any(&[
                "dark",
                "away",
                "disappeared",
                "vanished",
                "lost",
                "lose",
                "dies",
                "went",
                "goes",
                "gone",
            ])
    };
    let within = (clause.says("if") || clause.says("without")) && placed(clause) && gone(clause);
    let supposing = before.filter(|before| gone(before) && !placed(clause)).or(within.then_some(clause))?;
    let acts =
        clause.any(&[Sense::Pause, Sense::Remove, Sense::Push, Sense::Resize, Sense::Make, Sense::Restore]);
    let target = !clause.slots.accounts.is_empty() || !clause.slots.instances.is_empty();
    if !clause.is_question() || acts || target || clause.negated {
        return None;
    }
    let mut arguments = json!({});
    put(&mut arguments, "provider", supposing.slots.provider());
    put(&mut arguments, "region", supposing.slots.regions.first().map(String::as_str));
    Some(vec![Step::call("gf_fleet_status", arguments)])
}

/// "If Hetzner went dark": nothing is dark yet, so nobody has to be asked.
fn is_supposed(clause: &Clause) -> bool {
    clause.says_any(&["if", "suppose", "were", "would"])
}

/// Whether single gateways are asked for, not their number.
fn one_by_one(clause: &Clause) -> bool {
    let counted =
        clause.phrase("how many") || clause.says_any(&["count", "number"]) || clause.has(Sense::Fleet);
    let counted = counted || (clause.has(Sense::Health) && !clause.says_any(&["which", "who"]));
    let listing = clause.any(&[Sense::Show, Sense::All]) || clause.says_any(&["which", "who", "what"]);
    let things = clause.any(&[Sense::Account, Sense::Instance, Sense::Unprotected, Sense::Standby])
        || !clause.slots.states.is_empty();
    !counted && listing && things
}

/// Words of daily life beside a word of the trade ("is the weather fine?") are not about the fleet.
fn refers_elsewhere(clause: &Clause) -> bool {
    clause.says_any(&["weather", "poem", "joke", "song", "recipe", "pizza", "movie", "football"])
}
