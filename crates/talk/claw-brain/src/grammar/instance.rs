//! How one instance does.

use super::Scene;
use crate::{
    language::Sense,
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let its = clause.slots.is_empty()
        && clause.says_any(&["it", "its"])
        && clause.any(&[Sense::Health, Sense::Check, Sense::Show]);
    let just_named = scene.earlier.last().filter(|before| its && before.slots.instances.len() == 1);
    if let Some(before) = just_named {
        return Some(vec![Step::call(
            "gf_instance_health",
            json!({ "instanceId": before.slots.instances[0] }),
        )]);
    }
    // "And how is it now?", right after its restart.
    let restarted = scene.memory.last_use().is_some_and(|used| used.tool == "gf_bulk_restart");
    let asked = clause.is_question() || clause.says("how");
    if let Some(instance) = scene.pointed_instance().filter(|_| {
        restarted
            && asked
            && clause.slots.is_empty()
            && clause.has(Sense::Pronoun)
            && scene.earlier.is_empty()
            && !clause.any(super::CHANGES)
    }) {
        return Some(vec![Step::call("gf_instance_health", json!({ "instanceId": instance }))]);
    }
    // "And how is its standby doing?", right after a look at the pair.
    let halves = [Sense::Standby, Sense::Primary].into_iter().filter(|role| clause.has(*role));
    let asks = clause.is_question() || clause.any(&[Sense::Check, Sense::Show]) || clause.says("how");
    let asks = asks
        && clause.any(&[Sense::Health, Sense::Check, Sense::Trouble, Sense::Progress, Sense::Live])
        || clause.is_question() && clause.says_any(&["how", "doing"]);
    let changes = clause.any(&[Sense::Failover, Sense::Make, Sense::Restore, Sense::Cost, Sense::Exposure]);
    if clause.slots.is_empty() && scene.earlier.is_empty() && asks && !changes && !clause.negated {
        let shown: Vec<String> = halves.filter_map(|role| scene.memory.half_shown(role)).collect();
        if let [half] = shown.as_slice() {
            return Some(vec![Step::call("gf_instance_health", json!({ "instanceId": half }))]);
        }
    }
    if clause.slots.instances.is_empty() || clause.negated {
        return None;
    }
    let check = |id: &String| {
        let mut arguments = json!({ "instanceId": id });
        put(
            &mut arguments,
            "live",
            (clause.has(Sense::Live) || clause.says_any(&["ping", "probe"])).then_some(true),
        );
        Step::call("gf_instance_health", arguments)
    };
    Some(clause.slots.instances.iter().map(check).collect())
}
