//! Which new instances a provider gets: pause it, use it for standbys only, let it take primaries again.

use super::Scene;
use crate::{
    language::{Mood, Sense},
    step::Step,
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let other_target = !slots.accounts.is_empty()
        || !slots.instances.is_empty()
        || !slots.operations.is_empty()
        || !slots.json.is_empty();
    let other_topic = clause.any(&[
        Sense::Alert,
        Sense::Config,
        Sense::Briefing,
        Sense::Restart,
        Sense::Silence,
        Sense::Incident,
    ]);
    if other_target
        || other_topic
        || clause.is_question()
        || !slots.tiers.is_empty()
        || !slots.key_paths.is_empty()
    {
        return None;
    }
    // "No new accounts there" is a wish, but it does not say what shall become of the provider.
    let wish = clause.mood == Mood::Statement
        && clause.says("no")
        && clause.says_any(&["new", "more"])
        && clause.any(&[Sense::Account, Sense::Instance]);
    if wish && (!slots.providers.is_empty() || clause.has(Sense::Place)) {
        return Some(vec![Step::ask(
            "Shall I pause that provider for new instances, or use it for standbys only? Please say which provider.",
        )]);
    }
    let pool = pool(scene)?;
    if slots.providers.is_empty() {
        let pointed = scene.pointed_provider().filter(|_| clause.any(&[Sense::Pronoun, Sense::Place]));
        if let Some(provider) = pointed {
            return Some(vec![Step::call(
                "gf_provider_policy",
                json!({ "provider": provider, "pool": pool, "reason": "operator request" }),
            )]);
        }
        return clause.has(Sense::Place).then(|| vec![Step::ask("Which provider do you mean?")]);
    }
    let calls = slots.providers.iter().map(|placed| {
        Step::call(
            "gf_provider_policy",
            json!({ "provider": placed.provider, "pool": pool, "reason": "operator request" }),
        )
    });
    Some(calls.collect())
}

fn pool(scene: &Scene) -> Option<&'static str> {
    let clause = scene.clause;
    let places_new =
        clause.any(&[Sense::Make, Sense::Move, Sense::Use, Sense::Send]) || clause.says("provisioning");
    let primary_only = clause.has(Sense::Primary) && !clause.has(Sense::Standby);
    let away = |as_primary: bool| if as_primary { "standby" } else { "paused" };
    match () {
        () if clause.negated && places_new => Some(away(primary_only)),
        () if clause.negated => None,
        () if clause.orders(Sense::Pause) => Some(away(primary_only)),
        () if clause.orders(Sense::Stop) && places_new => Some(away(primary_only)),
        () if clause.orders(Sense::Remove) && (clause.has(Sense::Pool) || clause.has(Sense::Primary)) => {
            Some(away(primary_only))
        }
        () if clause.orders(Sense::Resume) => Some("primary"),
        () if clause.orders(Sense::Use) || offers(scene) => {
            if clause.has(Sense::Standby) && !clause.has(Sense::Primary) {
                Some("standby")
            } else {
                (clause.has(Sense::Primary) || clause.says("again")).then_some("primary")
            }
        }
        () => None,
    }
}

/// "Make Vultr available for primaries", "put Hostinger in the standby pool".
fn offers(scene: &Scene) -> bool {
    let clause = scene.clause;
    let ordered = clause.orders(Sense::Make) || clause.orders(Sense::Move) || clause.orders(Sense::Set);
    ordered
        && (clause.has(Sense::Pool) || clause.says_any(&["available", "only", "eligible", "back"]))
        && !clause.has(Sense::Account)
}
