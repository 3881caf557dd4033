//! "Only 10", "make that five instead", "not acct-0006", "in batches of 5": a new plan in place of the one just planned.
//!
//! Only a plan that still waits for a person is changed; the control plane then asks again.

use super::{
    Scene,
    pick::{self, Item},
    push,
};
use crate::{
    envelope::ToolUse,
    language::{Clause, Kind, Mood, Sense},
    step::Step,
};
use gf_tools::ProvisionParams;
use serde_json::{Value, json};

const OTHER_ACTS: [Sense; 11] = [
    Sense::Remove,
    Sense::Restart,
    Sense::Resize,
    Sense::Silence,
    Sense::Push,
    Sense::Failover,
    Sense::Restore,
    Sense::Rollback,
    Sense::Cancel,
    Sense::Schedule,
    Sense::Briefing,
];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let plan = scene.memory.planned().or_else(|| refused_push(scene))?;
    let vague = clause.says_any(&["twice", "double", "fewer", "half"])
        && clause.tokens.len() <= 5
        && !clause.is_question();
    if vague {
        return Some(vec![Step::ask("How many shall it be? Please give the number.")]);
    }
    let plain = clause.is_question() || clause.slots.is_empty() && !changes_how(clause);
    let asks = clause.head_is(Sense::Show) || clause.head_is(Sense::Check);
    // "Drop acct-0009 from that" is about the plan, not about the account.
    let from_plan = ["from that", "from it", "from the plan", "from the list", "from this", "from there"]
        .iter()
        .any(|said| clause.phrase(said))
        || clause.head_is(Sense::Keep);
    if plain
        || asks
        || (clause.any(&OTHER_ACTS) && !from_plan)
        || is_new_order(clause)
        || !scene.earlier.is_empty()
    {
        return None;
    }
    let steps = match plan.tool.as_str() {
        "gf_provision" => provision(clause, plan),
        "gf_teardown" | "gf_tier_resize" => accounts(clause, plan),
        "gf_config_push" => pushed(clause, plan),
        _ => None,
    };
    steps.map(|arguments| {
        if arguments == plan.arguments {
            return vec![Step::Say(
                "It is planned that way; the question of the control plane is still open.".to_owned(),
            )];
        }
        vec![Step::call(&plan.tool, arguments)]
    })
}

/// A push that was refused for how it was to run, while it is asked for in another way.
fn refused_push<'a>(scene: &Scene<'a>) -> Option<&'a ToolUse> {
    let other_way = scene.clause.says_any(&["rolling", "canary"]) || push::batch_size(scene.clause).is_some();
    scene.memory.refused().filter(|used| used.tool == "gf_config_push" && other_way)
}

/// Words about how a push runs, which name no slot.
fn changes_how(clause: &Clause) -> bool {
    clause.says_any(&["rolling", "canary", "immediate", "immediately", "validate", "last", "first"])
        || clause.phrase("at once")
}

/// "Provision 3 more pro accounts" is a request of its own.
fn is_new_order(clause: &Clause) -> bool {
    let makes =
        clause.orders(Sense::Make) && clause.tokens.get(clause.head).is_some_and(|head| head.text != "make");
    let another = clause.says_any(&["more", "another", "new", "additional", "extra"]);
    let work = !clause.slots.operations.is_empty()
        || !clause.slots.codes.is_empty()
        || !clause.slots.incidents.is_empty();
    makes || another || work || clause.slots.minutes.is_some() || clause.slots.clock.is_some()
}

fn provision(clause: &Clause, planned: &ToolUse) -> Option<Value> {
    let slots = &clause.slots;
    let mut plan: ProvisionParams = serde_json::from_value(planned.arguments.clone()).ok()?;
    // "Yup, two" says the count again.
    let repeats = clause.has(Sense::Yes)
        && matches!(slots.numbers.as_slice(), [(count, _)] if Some(*count) == planned.arguments["count"].as_i64());
    if repeats && clause.tokens.iter().filter(|token| !token.is_break()).count() <= 3 {
        return Some(planned.arguments.clone());
    }
    let correcting = clause.says_any(&[
        "only", "instead", "rather", "actually", "cut", "reduce", "lower", "raise", "limit", "just", "same",
        "no", "but",
    ]) || clause.has(Sense::Yes)
        || ["make that", "make it", "make them"].iter().any(|words| clause.phrase(words));
    let moods = clause.mood == Mood::Statement || correcting || clause.head_is(Sense::Use);
    // "With Hetzner as primary", "in the EU": a place alone says where, but could as well be a question about it.
    let placed = clause.says_any(&["with", "in", "on", "at", "use", "using"])
        && clause.any(&[Sense::Primary, Sense::Standby]);
    let in_region = clause.says("in") && !slots.regions.is_empty();
    if !moods
        || !(correcting || placed || in_region)
        || clause.negated
        || !slots.accounts.is_empty()
        || !slots.instances.is_empty()
        || !slots.json.is_empty()
        || !slots.states.is_empty()
    {
        return None;
    }
    if let Some((count, _)) = slots.numbers.iter().rev().find(|(count, _)| *count > 0) {
        plan.count = Some(*count);
        plan.account_ids = None;
    }
    match slots.tiers.as_slice() {
        [tier] => plan.tier.clone_from(tier),
        [] => {}
        _ => return None,
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
    let unplaced = slots.providers.iter().any(|placed| placed.role.is_none());
    let changed = json!(plan);
    (!unplaced && changed != planned.arguments).then_some(changed)
}

/// Some of the accounts that were planned, or another tier for them.
fn accounts(clause: &Clause, planned: &ToolUse) -> Option<Value> {
    let listed: Vec<Item> = planned.arguments["accountIds"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .map(|id| Item { id: id.to_owned(), account: id.to_owned(), ..Item::default() })
        .collect();
    let mut changed = planned.arguments.clone();
    let picks = clause.says_any(&[
        "only",
        "just",
        "not",
        "without",
        "except",
        "excluding",
        "minus",
        "but",
        "skip",
        "keep",
        "drop",
        "instead",
    ]);
    let tiered = planned.tool == "gf_tier_resize" && clause.slots.tiers.len() == 1;
    if tiered {
        changed["newTier"] = json!(clause.slots.tiers[0]);
    }
    if picks && let Some(chosen) = pick::of(clause, &listed) {
        changed["accountIds"] = json!(chosen.iter().map(|item| &item.id).collect::<Vec<_>>());
        return Some(changed);
    }
    let names = !clause.slots.accounts.is_empty() || !clause.slots.ordinals.is_empty();
    (tiered && !picks && !names).then_some(changed)
}

/// "Rolling", "immediately", "in batches of 5", "only to acct-0001".
fn pushed(clause: &Clause, planned: &ToolUse) -> Option<Value> {
    let mut changed = planned.arguments.clone();
    let slots = &clause.slots;
    let spares = clause.says_any(&["not", "except", "but", "without"]);
    let spares = spares || clause.any(&[Sense::Keep]) || clause.phrase("but not");
    if spares || !slots.json.is_empty() || clause.negated || !slots.key_paths.is_empty() {
        return None;
    }
    let rolling =
        clause.says("rolling") || (clause.says("batch") && clause.says_any(&["validate", "validating"]));
    let canary = clause.says("canary");
    let immediate = clause.says_any(&["immediate", "immediately"]) || clause.phrase("at once");
    if canary {
        if rolling || immediate {
            return None;
        }
        changed["strategy"] = json!("canary");
        match push::canary_sizes(clause) {
            Some(sizes) => changed["canarySizes"] = json!(sizes),
            None if !slots.numbers.is_empty() => return None,
            None => {}
        }
    }
    match (rolling, immediate) {
        (true, false) if changed["strategy"].as_str() == Some("immediate") => {
            changed["strategy"] = json!("rolling")
        }
        (false, true) => changed["strategy"] = json!("immediate"),
        (true, true) => return None,
        _ => {}
    }
    let size = push::batch_size(clause);
    if let Some(size) = size {
        changed["batchSize"] = json!(size);
    }
    let narrowed = clause.says_any(&["only", "just"]) && !slots.accounts.is_empty();
    if !narrowed && !slots.accounts.is_empty() {
        return None;
    }
    if narrowed {
        changed["targets"] = json!(slots.accounts);
    }
    let words = clause.tokens.iter().filter(|token| matches!(token.kind, Kind::Word)).count();
    (rolling || canary || immediate || size.is_some() || narrowed).then_some(changed).filter(|_| words <= 12)
}
