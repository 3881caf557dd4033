//! How far a piece of work is; hold it, go on, end it, try again.

use super::Scene;
use crate::{
    language::{Clause, Sense},
    step::Step,
};
use serde_json::json;

/// "Scrap A7K2": work that is named by its id is called off, whatever the verb.
pub fn withdrawn(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let others = !slots.accounts.is_empty() || !slots.instances.is_empty() || !slots.incidents.is_empty();
    let calls_off = clause.orders(Sense::Remove) && clause.head_is(Sense::Remove) && !others;
    let id = named(clause).filter(|_| calls_off && slots.ordinals.is_empty())?;
    Some(vec![Step::call("gf_operation", json!({ "id": id, "action": "cancel" }))])
}

/// "The push", where the fleet that was just shown has one; or the only thing that runs there.
fn shown(scene: &Scene) -> Option<String> {
    const KINDS: [(&[Sense], &str); 6] = [
        (&[Sense::Push, Sense::Config], "push"),
        (&[Sense::Make], "provision"),
        (&[Sense::Remove], "teardown"),
        (&[Sense::Resize], "resize"),
        (&[Sense::Restore], "restore"),
        (&[Sense::Restart], "restart"),
    ];
    let clause = scene.clause;
    let running = scene.memory.operations_shown();
    let named: Vec<&str> =
        KINDS.iter().filter(|(senses, _)| clause.any(senses)).map(|(_, verb)| *verb).collect();
    let fits: Vec<&(String, String)> = match named.as_slice() {
        [] if clause.has(Sense::Pronoun) || clause.has(Sense::Operation) => running.iter().collect(),
        [verb] => running.iter().filter(|(_, of)| of.contains(verb)).collect(),
        _ => return None,
    };
    match fits.as_slice() {
        [(id, _)] => Some(id.clone()),
        _ => None,
    }
}

pub fn order(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let actions = [
        (Sense::Pause, "pause"),
        (Sense::Resume, "resume"),
        (Sense::Cancel, "cancel"),
        (Sense::Retry, "retry"),
    ];
    let stop = clause.orders(Sense::Stop);
    let running = scene.memory.operations_shown();
    if let (Some((_, action)), [(first, _), (second, _)], true) = (
        actions.iter().find(|(sense, _)| clause.orders(*sense)),
        running.as_slice(),
        clause.has(Sense::Both) && clause.slots.is_empty(),
    ) {
        let act = |id: &String| Step::call("gf_operation", json!({ "id": id, "action": action }));
        return Some(vec![act(first), act(second)]);
    }
    let action = actions.iter().find(|(sense, _)| clause.orders(*sense)).map(|(_, action)| *action);
    if action.is_none() && !stop {
        return None;
    }
    let slots = &clause.slots;
    let elsewhere = !slots.accounts.is_empty() || !slots.instances.is_empty() || slots.provider().is_some();
    let id = named(clause)
        .or_else(|| shown(scene).filter(|_| !elsewhere))
        .or_else(|| scene.memory.last_work().filter(|_| !elsewhere));
    Some(vec![match (action, id) {
        (Some(action), Some(id)) => Step::call("gf_operation", json!({ "id": id, "action": action })),
        (Some(action), None) => Step::ask(format!("Which operation shall I {action}? Please give its id.")),
        (None, _) => Step::ask("Shall I pause it or cancel it, and which operation?"),
    }])
}

pub fn question(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let get = |id: String| vec![Step::call("gf_operation", json!({ "id": id, "action": "get" }))];
    // How far the work is with one account is told by the account.
    let of_one = clause.slots.operations.len() == 1 && clause.slots.accounts.len() == 1;
    if let Some(id) = named(clause).filter(|_| !of_one) {
        return Some(get(id));
    }
    let far = clause.is_question() && clause.has(Sense::Progress) && clause.slots.is_empty();
    if let Some(id) = shown(scene).filter(|_| far && scene.earlier.is_empty()) {
        return Some(get(id));
    }
    if let Some(code) = of_plan(scene) {
        return Some(get(code));
    }
    let slots = &clause.slots;
    let elsewhere = !slots.accounts.is_empty()
        || !slots.instances.is_empty()
        || slots.provider().is_some()
        || !slots.ordinals.is_empty();
    let wider = clause.any(&[Sense::Fleet, Sense::Cost, Sense::Provider, Sense::Audit, Sense::Alert])
        || clause.phrase("going on")
        // "Everything works?" asks of no work.
        || ["everything work", "all work", "they work"].iter().any(|said| clause.phrase(said))
        // "Did its standby stay up?" is about the account that was named just before.
        || clause.says("its") && scene.earlier.iter().any(|before| !before.slots.accounts.is_empty());
    let about_work =
        clause.any(&[Sense::Progress, Sense::Operation]) && !elsewhere && !wider && !clause.negated;
    let orders = clause.mood == crate::language::Mood::Order
        && !clause.head_is(Sense::Show)
        && !clause.head_is(Sense::Check)
        && !clause.head_is(Sense::Want);
    scene.memory.last_work().filter(|_| about_work && !orders).map(get)
}

/// "How many will that touch?", "what would we lose?" while a plan waits: its records are what is known of that.
fn of_plan(scene: &Scene) -> Option<String> {
    let clause = scene.clause;
    let ahead = clause.says_any(&["will", "would"]) && !clause.says("if");
    let points = clause.any(&[Sense::Pronoun]) || clause.says_any(&["we", "us"]);
    let asks = clause.is_question() && clause.says_any(&["what", "how", "which", "who"]);
    let money = clause.any(&[Sense::Cost, Sense::Pronoun])
        && clause.says_any(&["much", "expensive", "come", "cost"])
        || clause.phrase("per month");
    let other = clause.any(super::CHANGES)
        || clause.any(&[Sense::Waste, Sense::Idle, Sense::Oversized])
        || clause.any(&[Sense::Provider, Sense::Incident, Sense::Fleet]);
    scene.memory.planned()?;
    let open = scene.memory.open_codes().into_iter().next();
    open.filter(|_| {
        asks && (ahead && points || money) && !other && clause.slots.is_empty() && !clause.negated
    })
}

fn named(clause: &Clause) -> Option<String> {
    clause.slots.operations.first().or(clause.slots.codes.first()).cloned()
}
