//! How one account's gateway does.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{language::Sense, step::Step};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let named = !clause.slots.accounts.is_empty();
    let pointed = clause.has(Sense::Pronoun) || clause.has(Sense::Account);
    let counted = !clause.slots.ordinals.is_empty() && pointed;
    if clause.negated || !(named || counted) {
        return None;
    }
    Some(match targets::accounts(scene, "look at") {
        Targets::Accounts(accounts) => accounts
            .iter()
            .map(|account| Step::call("gf_pair_status", json!({ "accountId": account })))
            .collect(),
        Targets::First(step) => vec![step],
        Targets::None => return None,
    })
}
