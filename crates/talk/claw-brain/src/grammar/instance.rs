//! How one instance does.

use super::Scene;
use crate::{
    language::Sense,
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if clause.slots.instances.is_empty() || clause.negated {
        return None;
    }
    let check = |id: &String| {
        let mut arguments = json!({ "instanceId": id });
        put(&mut arguments, "live", clause.has(Sense::Live).then_some(true));
        Step::call("gf_instance_health", arguments)
    };
    Some(clause.slots.instances.iter().map(check).collect())
}
