//! Parts of a message that only tell something: a reason, a condition of a question, what the next part is about.
//!
//! Such a part asks for nothing and is not read by itself; an order is never one.

use crate::{
    grammar::CHANGES,
    language::{Clause, Mood, Sense},
};

/// What a person may want left undone.
const KEPT: &[Sense] = &[
    Sense::Make,
    Sense::Remove,
    Sense::Restore,
    Sense::Resize,
    Sense::Push,
    Sense::Rollback,
    Sense::Restart,
    Sense::Failover,
    Sense::Pause,
    Sense::Cancel,
    Sense::Silence,
    Sense::Schedule,
];
/// How a reason begins.
const REASONING: [&str; 9] = ["i", "we", "they", "he", "she", "it", "this", "that", "the"];

/// Whether this part only sets the scene for another; `read` says whether one before it has been understood.
pub fn sets_scene(parts: &[Clause], at: usize, read: bool) -> bool {
    let clause = &parts[at];
    let asked_next =
        clause.mood == Mood::Statement && !clause.needs && parts.get(at + 1).is_some_and(Clause::is_question);
    let needs_act = clause.needs && clause.any(CHANGES);
    let pointed_at = clause.mood == Mood::Statement
        && !needs_act
        && parts.get(at + 1).is_some_and(|next| {
            let bare = next.slots.is_empty() && next.any(CHANGES);
            next.mood == Mood::Order && (next.has(Sense::Pronoun) || next.has(Sense::Rollback) || bare)
        });
    let explains = pointed_at || clause.explains() && parts.iter().any(|part| part.mood == Mood::Order);
    let bare_question = clause.is_question()
        && clause.tokens.iter().filter(|token| !token.is_break()).count() <= 2
        && at > 0
        && clause.slots.is_empty();
    // "Don't mute anything, I want to see it all": why, not what else.
    let reasons = at > 0
        && parts[at - 1].negated
        && parts[at - 1].any(KEPT)
        && clause.tokens.first().is_some_and(|first| REASONING.contains(&first.text.as_str()));
    let reasons = reasons || at > 0 && read && clause.tells();
    let reasons = reasons || clause.tells() && parts.get(at + 1).is_some_and(|next| next.mood == Mood::Order);
    // "Leave it, Contabo is down anyway."
    let reasons = reasons
        || at > 0 && parts[at - 1].has(Sense::No) && parts[at - 1].slots.is_empty() && clause.explains();
    // "acct-0042 forgot everything, restore snap-1f0c": the account of what follows.
    let whose = clause.mood == Mood::Statement
        && clause.slots.accounts.len() == 1
        && parts.get(at + 1).is_some_and(|next| {
            let kept = !next.slots.snapshots.is_empty() || !next.slots.archives.is_empty();
            next.mood == Mood::Order && kept && next.slots.accounts.is_empty()
        });
    let reasons = reasons || whose;
    // "If Hetzner went dark, who could move?"
    let supposes = clause.tokens.first().is_some_and(|first| first.text == "if")
        && parts.get(at + 1).is_some_and(Clause::is_question);
    // "… live, don't give me the old number": how, not what.
    let wards_off = at > 0 && clause.negated && clause.slots.is_empty() && !clause.any(KEPT);
    bare_question || asked_next || explains || reasons || supposes || wards_off
}
