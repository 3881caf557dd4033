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
    // There "backup" is who takes over, not what is kept.
    let to_backup = clause.orders(Sense::Move)
        && !clause.slots.accounts.is_empty()
        && ["to its backup", "to the backup", "onto its backup", "over to its backup"]
            .iter()
            .any(|said| clause.phrase(said));
    let lets = clause.orders(Sense::Use)
        && clause.has(Sense::Standby)
        && clause.phrase("take over")
        && !clause.slots.accounts.is_empty();
    if !(clause.orders(Sense::Failover) || swaps || switches || lets || to_backup) {
        return None;
    }
    let reason = match scene.clause.slots.instances.as_slice() {
        [instance, ..] => format!("asked for by its instance {instance}"),
        [] if scene.clause.has(Sense::Trouble) => "primary in trouble".to_owned(),
        [] => "operator request".to_owned(),
    };
    Some(match targets::accounts(scene, "fail over") {
        Targets::Accounts(accounts) => accounts
            .iter()
            .map(|account| Step::call("gf_failover", json!({ "accountId": account, "reason": reason })))
            .collect(),
        Targets::First(step) => vec![step],
        Targets::None => vec![Step::ask("Which account shall I fail over?")],
    })
}
