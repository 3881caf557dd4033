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
