//! Undoing a configuration rollout; each gateway goes back to its own previous keys.

use super::{Scene, restore};
use crate::{language::Sense, step::Step};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let (clause, memory) = (scene.clause, scene.memory);
    // "Restore the previous configuration" is about a push, not about an account.
    let earlier = clause.has(Sense::Config)
        && clause.says_any(&["previous", "former", "old", "earlier"])
        && [Sense::Restore, Sense::Want, Sense::Use, Sense::Set].iter().any(|verb| clause.orders(*verb))
        && !clause.has(Sense::Account);
    if restore::undoes_removal(scene)
        || !clause.slots.snapshots.is_empty()
        || !clause.slots.archives.is_empty()
    {
        return None;
    }
    let clear = clause.slots.accounts.is_empty() && clause.slots.json.is_empty();
    let earlier = earlier && clear && !clause.is_question();
    if !(clause.has(Sense::Rollback) || earlier) || clause.negated {
        return None;
    }
    let of_push =
        clause.any(&[Sense::Push, Sense::Config, Sense::Operation]) || !clause.slots.operations.is_empty();
    let of_teardown = clause.has(Sense::Remove) || clause.has(Sense::Account);
    if of_teardown || (!of_push && memory.last_change() == Some("gf_teardown")) {
        return None;
    }
    // What was done last is something else, and nobody said that a push is meant.
    let other = memory.last_change().is_some_and(|tool| !matches!(tool, "gf_config_push" | "gf_teardown"));
    if other && !of_push && clause.orders(Sense::Rollback) {
        return Some(vec![Step::ask("What shall I roll back? Please name the push, by its operation id.")]);
    }
    let named = clause.slots.operations.first().cloned();
    let id = named.or_else(|| memory.last_push());
    let ordered = clause.orders(Sense::Rollback) || earlier;
    match id {
        Some(id) if ordered => {
            Some(vec![Step::call("gf_operation", json!({ "id": id, "action": "rollback" }))])
        }
        Some(id) => Some(vec![Step::call("gf_operation", json!({ "id": id, "action": "get" }))]),
        None if ordered => Some(vec![Step::ask(
            "Which rollout shall I roll back? I know of none in this conversation; please give its operation id.",
        )]),
        None => None,
    }
}
