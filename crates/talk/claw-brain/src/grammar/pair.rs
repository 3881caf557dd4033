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
    let both =
        clause.has(Sense::Both) && clause.slots.is_empty() && clause.any(&[Sense::Pronoun, Sense::Account]);
    let counted = (!clause.slots.ordinals.is_empty() && pointed) || both;
    // "acct-0031 says his bot is dead. Can you look?"
    let looks = clause.slots.is_empty()
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "look" || head.is(Sense::Check));
    if looks && let Some(before) = scene.earlier.last().filter(|before| !before.slots.accounts.is_empty()) {
        let look = |account: &String| Step::call("gf_pair_status", json!({ "accountId": account }));
        return Some(before.slots.accounts.iter().map(look).collect());
    }
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
