//! Another tier for accounts, or what that would cost.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{
    language::{Mood, Sense},
    step::Step,
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let moves = [Sense::Move, Sense::Set, Sense::Make].iter().any(|sense| clause.orders(*sense));
    let tiered = !clause.slots.tiers.is_empty() || clause.has(Sense::Tier);
    let existing = !clause.slots.accounts.is_empty()
        || !clause.slots.ordinals.is_empty()
        || clause.any(&[Sense::Idle, Sense::Oversized, Sense::All])
        || (clause.has(Sense::Pronoun) && clause.slots.tiers.len() == 1 && scene.memory.planned().is_none());
    let makes_new = clause.orders(Sense::Make) && (clause.head_is(Sense::Make) && !clause.says("make"));
    let remakes = clause.says("make")
        && clause.slots.accounts.is_empty()
        && !clause.head_is(Sense::Move)
        && clause.any(&[Sense::Account])
        && clause.has(Sense::Pronoun);
    // "Give acct-0107 the enterprise tier"
    let gives = clause.mood == Mood::Order
        && !clause.negated
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "give")
        && !clause.slots.accounts.is_empty()
        && clause.slots.tiers.len() == 1
        && clause.has(Sense::Tier);
    let retiers = gives || !remakes && moves && tiered && existing && !makes_new;
    if !clause.orders(Sense::Resize) && !retiers {
        return None;
    }
    if super::provision::grows(clause) {
        return None;
    }
    if clause.says("openclaw") || clause.says("version") {
        return Some(vec![Step::Decline(
            "I can't change OpenClaw's version; an upgrade resizes an account to another tier here."
                .to_owned(),
        )]);
    }
    if clause.slots.tiers.len() > 1 && !clause.says("from") {
        return Some(vec![Step::ask(
            "You named several tiers. Please tell me each tier with its accounts in a sentence of its own.",
        )]);
    }
    let tier = clause.slots.tiers.last().cloned();
    let accounts = match targets::accounts(scene, "resize") {
        Targets::Accounts(accounts) => accounts,
        Targets::First(step) => return Some(vec![step]),
        Targets::None => return Some(vec![by_count(scene)]),
    };
    let tier = tier.or_else(|| {
        scene
            .memory
            .waste("oversized")
            .filter(|_| clause.has(Sense::Oversized))
            .and_then(|waste| waste.to_tier)
    });
    let Some(tier) = tier else {
        return Some(vec![Step::ask("To which tier: nano, standard, pro or enterprise?")]);
    };
    let mut arguments = json!({ "accountIds": accounts, "newTier": tier });
    let dry = ["dry run", "just the price", "only the price", "price only", "just a price", "price check"]
        .iter()
        .any(|said| clause.phrase(said))
        || clause.says_any(&["dry-run", "preview", "simulate"]);
    // "… but show me the price first"
    let priced_first =
        scene.later.iter().any(|after| after.has(Sense::Cost) && after.says_any(&["first", "before"]));
    if dry || priced_first {
        arguments["dryRun"] = json!(true);
    }
    Some(vec![Step::call("gf_tier_resize", arguments)])
}

/// "Downsize the 18": as many as the cost report found oversized, and no other number.
fn by_count(scene: &Scene) -> Step {
    let slots = &scene.clause.slots;
    let waste = scene.memory.waste("oversized");
    let said = slots.numbers.first().map(|(n, _)| *n);
    match (waste, said) {
        (Some(waste), Some(said)) if waste.accounts.len() as i64 == said => {
            match slots.tiers.last().cloned().or(waste.to_tier) {
                Some(tier) => {
                    Step::call("gf_tier_resize", json!({ "accountIds": waste.accounts, "newTier": tier }))
                }
                None => Step::ask("To which tier: nano, standard, pro or enterprise?"),
            }
        }
        _ => Step::ask("Which accounts shall I resize? Please name them by id."),
    }
}

/// "What would it cost to move acct-0042 to pro?"
pub fn price(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    // "Price only: acct-0101 from nano to standard" orders nothing either.
    let priced = clause.mood == Mood::Statement && clause.has(Sense::Cost);
    let asked = (clause.is_question() || priced)
        && !slots.accounts.is_empty()
        && (slots.tiers.len() == 1 || slots.tiers.len() == 2 && clause.says("from"));
    let asked = asked
        && (clause.phrase("how much") && clause.says_any(&["would", "is", "are", "be"])
            || clause.any(&[Sense::Cost, Sense::Waste, Sense::Resize, Sense::Move, Sense::Make]))
        && !clause.tokens.iter().any(|token| token.past && token.is(Sense::Resize));
    asked.then(|| {
        vec![Step::call(
            "gf_tier_resize",
            json!({ "accountIds": slots.accounts, "newTier": slots.tiers.last(), "dryRun": true }),
        )]
    })
}
