//! "Only 10", "make that five instead", "use Vultr as the standby rather": a new plan in place of the one just planned.

use super::Scene;
use crate::{language::Sense, step::Step};
use serde_json::json;

/// "Rolling", "immediately": how a push that was just planned is to run.
pub fn strategy(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let rolling =
        clause.says("rolling") || (clause.says("batch") && clause.says_any(&["validate", "validating"]));
    let immediate = clause.says_any(&["immediate", "immediately"]) || clause.phrase("at once");
    let named =
        !clause.slots.json.is_empty() || clause.is_question() || clause.negated || rolling == immediate;
    let mut plan = scene.memory.planned_push().filter(|_| !named)?;
    let wanted = if rolling { "rolling" } else { "immediate" };
    if plan["strategy"].as_str().unwrap_or("rolling") == wanted {
        return Some(vec![Step::Say(
            "It is planned that way; the question of the control plane is still open.".to_owned(),
        )]);
    }
    plan["strategy"] = json!(wanted);
    Some(vec![Step::call("gf_config_push", plan)])
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let changed = clause
        .says_any(&["only", "instead", "rather", "actually", "cut", "reduce", "lower", "raise", "limit"])
        || clause.phrase("make that")
        || clause.phrase("make it")
        || clause.phrase("make them");
    let names_others = !slots.accounts.is_empty() || !slots.instances.is_empty() || !slots.json.is_empty();
    let other_act = clause.any(&[
        Sense::Remove,
        Sense::Restart,
        Sense::Resize,
        Sense::Silence,
        Sense::Push,
        Sense::Failover,
        Sense::Restore,
    ]);
    if !changed || names_others || other_act || clause.is_question() || clause.negated {
        return None;
    }
    let mut plan = scene.memory.planned_provision()?;
    let before = plan.clone();
    if let Some((count, _)) = slots.numbers.iter().rev().find(|(count, _)| *count > 0) {
        plan.count = Some(*count);
        plan.account_ids = None;
    }
    if let [tier] = slots.tiers.as_slice() {
        plan.tier.clone_from(tier);
    }
    if !slots.regions.is_empty() {
        plan.regions = Some(slots.regions.clone());
    }
    for (role, place) in
        [(Sense::Primary, &mut plan.primary_provider), (Sense::Standby, &mut plan.standby_provider)]
    {
        if let Some(provider) = slots.provider_as(role) {
            *place = Some(provider.to_owned());
        }
    }
    (plan != before).then(|| vec![Step::call("gf_provision", json!(plan))])
}
