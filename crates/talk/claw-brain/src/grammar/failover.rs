//! The standby of an account takes over.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{
    language::{Clause, Sense},
    step::Step,
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let swaps = [Sense::Make, Sense::Move, Sense::Set].iter().any(|sense| clause.orders(*sense))
        && (clause.has(Sense::Standby) || clause.says("swap"))
        && (clause.has(Sense::Primary) || clause.phrase("to the standby") || clause.phrase("to its standby"))
        && clause.slots.providers.is_empty()
        && (!clause.slots.accounts.is_empty() || !clause.slots.ordinals.is_empty());
    let switches = clause.orders(Sense::Move)
        && clause.has(Sense::Standby)
        && !clause.slots.accounts.is_empty()
        && clause.slots.tiers.is_empty()
        && clause.slots.providers.is_empty();
    // There "backup" is who takes over, not what is kept.
    let to_backup = clause.orders(Sense::Move)
        && !clause.slots.accounts.is_empty()
        && ["to its backup", "to the backup", "onto its backup", "over to its backup"]
            .iter()
            .any(|said| clause.phrase(said));
    let lets = clause.orders(Sense::Use)
        && clause.has(Sense::Standby)
        && clause.phrase("take over")
        && (!clause.slots.accounts.is_empty() || clause.slots.is_empty());
    if !(clause.orders(Sense::Failover) || swaps || switches || lets || to_backup) {
        return None;
    }
    let reason = match scene.clause.slots.instances.as_slice() {
        [instance, ..] => format!("asked for by its instance {instance}"),
        [] if scene.clause.has(Sense::Trouble) => "primary in trouble".to_owned(),
        [] => "operator request".to_owned(),
    };
    // "Let the standby take over", right after a look at the pair.
    let shown = scene.memory.half_shown(Sense::Standby).and_then(|_| scene.pointed_account());
    if let Some(account) = shown.filter(|_| clause.slots.is_empty() && clause.has(Sense::Standby)) {
        return Some(vec![Step::call("gf_failover", json!({ "accountId": account, "reason": reason }))]);
    }
    Some(match targets::accounts(scene, "fail over") {
        Targets::Accounts(accounts) => accounts
            .iter()
            .map(|account| Step::call("gf_failover", json!({ "accountId": account, "reason": reason })))
            .collect(),
        Targets::First(step) => vec![step],
        // "acct-0230 is down. Fail over."
        Targets::None
            if clause.slots.is_empty() && scene.pointed_accounts().len() == 1 && is_bare(clause) =>
        {
            let call = |account: String| {
                Step::call("gf_failover", json!({ "accountId": account, "reason": reason }))
            };
            scene.pointed_accounts().into_iter().map(call).collect()
        }
        Targets::None => vec![Step::ask("Which account shall I fail over?")],
    })
}

/// Nothing but the verb, and "please" or "now" beside it.
fn is_bare(clause: &Clause) -> bool {
    clause.tokens.iter().all(|token| {
        token.is_break()
            || token.is(Sense::Failover)
            || matches!(token.text.as_str(), "please" | "now" | "then" | "pls" | "so" | "and")
    })
}
