//! "Do the first two": the recommendations of the cost report that was just shown, chosen by their place or kind.
//!
//! Each becomes the plan that it recommends; what the report only hints at is asked about, and nothing is chosen that it
//! does not name.

use super::{
    Scene,
    pick::{self, Item},
};
use crate::{
    language::{Clause, Sense},
    step::Step,
};
use serde_json::{Value, json};

/// Verbs that carry out what was recommended.
const CARRY_OUT: [&str; 10] =
    ["do", "take", "execute", "run", "apply", "implement", "realise", "realize", "do it", "go with"];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let report = scene.memory.last_use().filter(|used| used.tool == "gf_cost_report")?;
    if clause.negated || clause.is_question() || !scene.earlier.is_empty() {
        return None;
    }
    let items = report.reply["waste"].as_array()?;
    if let Some(steps) = spared(scene, items) {
        return Some(steps);
    }
    let head = clause.tokens.get(clause.head)?;
    let goes = clause.phrase("go ahead with") || clause.phrase("go with") || clause.phrase("proceed with");
    let carries_out = CARRY_OUT.contains(&head.text.as_str()) || goes;
    let counts = !clause.slots.ordinals.is_empty() || clause.says_any(&["first", "top"]);
    let other = !clause.slots.accounts.is_empty()
        || clause.has(Sense::Account)
        || clause.any(super::CHANGES) && head.text != "apply";
    if !carries_out || !counts || other {
        return None;
    }
    let kinds: Vec<Item> = items
        .iter()
        .filter_map(|item| Some(Item { id: item["kind"].as_str()?.to_owned(), ..Item::default() }))
        .collect();
    let Some(chosen) = pick::of(clause, &kinds) else {
        return Some(vec![Step::ask(
            "Which of the recommendations do you mean? Please name them: idle, oversized or arbitrage.",
        )]);
    };
    let steps =
        items.iter().filter(|item| chosen.iter().any(|kind| item["kind"] == kind.id.as_str())).map(plan);
    Some(steps.collect())
}

fn plan(item: &Value) -> Step {
    let accounts = &item["accountIds"];
    match (item["kind"].as_str(), item["toTier"].as_str()) {
        (Some("idle"), _) => Step::call("gf_teardown", json!({ "accountIds": accounts, "reason": "idle" })),
        (Some("oversized"), Some(tier)) => {
            Step::call("gf_tier_resize", json!({ "accountIds": accounts, "newTier": tier }))
        }
        _ => Step::ask(
            "I can't move accounts to another provider by one order. Which of the others shall I do?",
        ),
    }
}

/// "Get rid of the idle ones except 0019": all of a kind but those that are named.
fn spared(scene: &Scene, items: &[Value]) -> Option<Vec<Step>> {
    const BUT: [&str; 5] = ["except", "excluding", "without", "but", "minus"];
    let clause = scene.clause;
    let kind = match () {
        () if clause.has(Sense::Idle) && clause.orders(Sense::Remove) => "idle",
        () if clause.has(Sense::Oversized) && clause.orders(Sense::Resize) => "oversized",
        () => return None,
    };
    let at = clause
        .tokens
        .iter()
        .position(|token| BUT.contains(&token.text.as_str()) || token.text == "but not")?;
    let named = Clause::new(clause.tokens[at + 1..].to_vec(), false);
    let item = items.iter().find(|item| item["kind"] == kind)?;
    let all: Vec<&str> = item["accountIds"].as_array()?.iter().filter_map(Value::as_str).collect();
    let out = &named.slots.accounts;
    let known = !out.is_empty() && out.iter().all(|id| all.contains(&id.as_str()));
    let only_ids =
        named.slots.ordinals.is_empty() && named.slots.numbers.is_empty() && named.slots.providers.is_empty();
    if !known || !only_ids {
        return Some(vec![Step::ask(
            "Which of them shall stay? Please name them by id, as the report lists them.",
        )]);
    }
    let left: Vec<&str> = all.into_iter().filter(|id| !out.iter().any(|out| out == id)).collect();
    let mut item = item.clone();
    item["accountIds"] = json!(left);
    if let [tier] = clause.slots.tiers.as_slice() {
        item["toTier"] = json!(tier);
    }
    Some(vec![plan(&item)])
}
