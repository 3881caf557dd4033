//! After a price or a preview: "looks fine, do it" asks for the same in earnest, "and what about enterprise?" for another price.
//!
//! What is asked for in earnest is planned by the control plane, which asks a person; a mere nod does nothing here.

use super::Scene;
use crate::{
    envelope::ToolUse,
    language::{Clause, Sense},
    step::Step,
};
use serde_json::json;

/// Words that may stand beside "do it" without saying anything else.
const AROUND: [&str; 32] = [
    "look",
    "looks",
    "fine",
    "good",
    "ok",
    "okay",
    "great",
    "then",
    "and",
    "please",
    "so",
    "that",
    "it",
    "is",
    "alright",
    "well",
    "cool",
    "now",
    "right",
    "sounds",
    "sound",
    "nice",
    "perfect",
    "reasonable",
    "acceptable",
    "fair",
    "enough",
    "the",
    "price",
    "plan",
    "with",
    "for",
];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let shown = scene.memory.previewed()?;
    if clause.negated || !scene.earlier.is_empty() {
        return None;
    }
    let orders = clause.tokens.iter().any(|token| {
        matches!(token.text.as_str(), "do it" | "go ahead" | "make it so" | "proceed" | "go" | "do that")
    });
    let only = clause.tokens.iter().all(|token| {
        token.is_break()
            || token.is(Sense::Yes)
            || token.is(Sense::Thanks)
            || AROUND.contains(&token.text.as_str())
    });
    if orders && only && !clause.is_question() && clause.slots.is_empty() {
        let mut arguments = shown.arguments.clone();
        arguments.as_object_mut()?.remove("dryRun");
        return Some(vec![Step::call(&shown.tool, arguments)]);
    }
    another_price(clause, shown).map(|step| vec![step])
}

fn another_price(clause: &Clause, shown: &ToolUse) -> Option<Step> {
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let varies = clause.is_question() || clause.phrase("what about") || clause.phrase("how about");
    let slots = &clause.slots;
    if shown.tool != "gf_tier_resize" || !varies || words > 8 || !slots.instances.is_empty() {
        return None;
    }
    let mut arguments = shown.arguments.clone();
    match (slots.tiers.as_slice(), slots.accounts.as_slice()) {
        ([tier], []) => arguments["newTier"] = json!(tier),
        ([], [_, ..]) if clause.phrase("what about") || clause.phrase("how about") => {
            arguments["accountIds"] = json!(slots.accounts);
        }
        _ => return None,
    }
    Some(Step::call(&shown.tool, arguments))
}
