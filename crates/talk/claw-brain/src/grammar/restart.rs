//! Restarting OpenClaw on named instances, on an account's, or on those in a state.

use super::Scene;
use crate::{
    language::{Clause, Sense},
    step::{Step, put},
};
use serde_json::{Value, json};

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if !clause.orders(Sense::Restart) {
        return None;
    }
    let slots = &clause.slots;
    let mut arguments = json!({ "reason": reason(clause) });
    let bare = slots.is_empty()
        && clause.tokens.iter().filter(|token| !token.is_break()).count() <= 2
        && scene.earlier.last().is_some_and(|before| before.slots.instances.len() == 1);
    let points = clause.says_any(&["it", "that", "this"]) && slots.is_empty();
    let pointed_at = scene.pointed_instance().filter(|_| points || bare);
    // "Them" and "the one at Vultr" are found in a list that was shown, or not at all.
    let unlisted = clause.has(Sense::Pronoun)
        && slots.instances.is_empty()
        && slots.accounts.is_empty()
        && slots.states.is_empty()
        && !points;
    if unlisted {
        return Some(vec![Step::ask(
            "Which instances shall I restart? Name them, their account, or a state such as degraded.",
        )]);
    }
    // "Restart the primary", right after a look at the pair.
    let halves = [Sense::Primary, Sense::Standby].into_iter().filter(|role| clause.has(*role));
    let shown: Vec<String> = halves.filter_map(|role| scene.memory.half_shown(role)).collect();
    let of_shown = slots.is_empty() && scene.earlier.is_empty() && !clause.has(Sense::All);
    let all_plain = !clause
        .tokens
        .iter()
        .any(|token| token.raw.to_lowercase().ends_with("ies") || token.raw.to_lowercase().ends_with("bys"));
    // "i-0b1d and i-0b1e hang, restart both"
    let both = scene
        .earlier
        .last()
        .map(|before| &before.slots.instances)
        .filter(|two| two.len() == 2 && slots.is_empty() && clause.has(Sense::Both));
    if let Some(both) = both {
        arguments["instanceIds"] = json!(both);
    } else if of_shown
        && all_plain
        && let [half] = shown.as_slice()
    {
        arguments["instanceIds"] = json!([half]);
    } else if !slots.instances.is_empty() {
        arguments["instanceIds"] = json!(slots.instances);
    } else if let Some(instance) = pointed_at {
        arguments["instanceIds"] = json!([instance]);
    } else {
        let filter = filter(scene);
        if filter.as_object().is_none_or(|filter| filter.is_empty() || filter.keys().all(|key| key == "role"))
        {
            return Some(vec![Step::ask(
                "Which instances shall I restart? Name them, their account, or a state such as degraded.",
            )]);
        }
        arguments["filter"] = filter;
    }
    put(&mut arguments, "concurrency", at_a_time(clause));
    Some(vec![Step::call("gf_bulk_restart", arguments)])
}

fn filter(scene: &Scene) -> Value {
    let slots = &scene.clause.slots;
    let mut filter = json!({});
    // "Pause Hostinger and restart the failed ones there."
    let before = scene.earlier.iter().rev().find_map(|clause| clause.slots.provider());
    let there = before.filter(|_| scene.clause.has(Sense::Place));
    put(&mut filter, "provider", slots.provider().or(there));
    put(&mut filter, "region", slots.regions.first().map(String::as_str));
    put(&mut filter, "tier", slots.tiers.first().map(String::as_str));
    put(&mut filter, "status", slots.states.first().map(String::as_str));
    let role = match (scene.clause.has(Sense::Primary), scene.clause.has(Sense::Standby)) {
        (true, false) => Some("PRIMARY"),
        (false, true) => Some("STANDBY"),
        _ => None,
    };
    put(&mut filter, "role", role);
    let pointed = (scene.clause.has(Sense::Pronoun) || scene.clause.says("its")) && slots.is_empty();
    let accounts = if slots.accounts.is_empty() && pointed {
        scene.pointed_account().into_iter().collect()
    } else {
        slots.accounts.clone()
    };
    if !accounts.is_empty() {
        filter["accountIds"] = json!(accounts);
    }
    filter
}

fn at_a_time(clause: &Clause) -> Option<i64> {
    let text = |at: usize| clause.tokens.get(at).map_or("", |token| token.text.as_str());
    clause
        .slots
        .numbers
        .iter()
        .find(|(_, at)| {
            let before = |back: usize| at.checked_sub(back).map_or("", text);
            text(at + 1) == "at"
                && (matches!(text(at + 3), "time") || text(at + 2) == "once" || text(at + 4) == "time")
                || text(at + 1) == "at once"
                || text(at + 1) == "in" && text(at + 2) == "parallel"
                || before(1) == "of" && matches!(before(2), "batch" | "batches" | "group" | "groups")
                || matches!(before(1), "concurrency" | "max" | "maximum")
        })
        .map(|(n, _)| *n)
        .or_else(|| clause.phrase("one by one").then_some(1))
}

fn reason(clause: &Clause) -> &'static str {
    match () {
        () if clause.says("memory") => "memory",
        () if clause.slots.states.iter().any(|state| state == "DEGRADED") => "degraded",
        () if clause.slots.states.iter().any(|state| state == "FAILED") => "failed",
        () => "operator request",
    }
}
