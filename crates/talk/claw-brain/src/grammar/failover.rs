//! The standby of an account takes over.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{language::Sense, step::Step};
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
    let lets = clause.orders(Sense::Use)
        && clause.has(Sense::Standby)
        && clause.phrase("take over")
        && !clause.slots.accounts.is_empty();
    if !(clause.orders(Sense::Failover) || swaps || switches || lets) {
        return None;
    }
    let reason = if scene.clause.has(Sense::Trouble) { "primary in trouble" } else { "operator request" };
    Some(match targets::accounts(scene, "fail over") {
        Targets::Accounts(accounts) => accounts
            .iter()
            .map(|account| Step::call("gf_failover", json!({ "accountId": account, "reason": reason })))
            .collect(),
        Targets::First(step) => vec![step],
        Targets::None => vec![Step::ask("Which account shall I fail over?")],
    })
}
