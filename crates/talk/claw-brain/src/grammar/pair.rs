//! How one account's gateway does.

use super::{
    Scene,
    targets::{self, Targets},
    times,
};
use crate::{
    language::{Kind, Sense},
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let named = !clause.slots.accounts.is_empty();
    let pointed = clause.has(Sense::Pronoun) || clause.has(Sense::Account);
    let both =
        clause.has(Sense::Both) && clause.slots.is_empty() && clause.any(&[Sense::Pronoun, Sense::Account]);
    // "The account one": a look takes that for the account of this number; a change would ask.
    let worded = clause.tokens.windows(2).find_map(|two| match two[1].kind {
        Kind::Number(n) if two[0].raw.eq_ignore_ascii_case("account") => Some(n),
        _ => None,
    });
    let worded = worded.filter(|_| clause.is_question() && !named && !clause.any(super::CHANGES));
    if let Some(n) = worded.filter(|_| !clause.says_any(&["each", "every", "per", "many"])) {
        return Some(vec![Step::call("gf_pair_status", json!({ "accountId": format!("acct-{n:0>4}") }))]);
    }
    let counted = (!clause.slots.ordinals.is_empty() && pointed) || both;
    // "acct-0031 says his bot is dead. Can you look?"
    let looks = clause.slots.is_empty()
        && clause.tokens.get(clause.head).is_some_and(|head| head.text == "look" || head.is(Sense::Check));
    if looks && let Some(before) = scene.earlier.last().filter(|before| !before.slots.accounts.is_empty()) {
        let look = |account: &String| Step::call("gf_pair_status", json!({ "accountId": account }));
        return Some(before.slots.accounts.iter().map(look).collect());
    }
    if !clause.negated && !named && !counted && points_at_one(scene) {
        let account = scene.pointed_account()?;
        return Some(vec![Step::call("gf_pair_status", json!({ "accountId": account }))]);
    }
    if clause.negated || !(named || counted) {
        return None;
    }
    Some(match targets::accounts(scene, "look at") {
        Targets::Accounts(accounts) => {
            let month = times::month(clause, scene.now);
            let operation = clause.slots.operations.first().filter(|_| clause.slots.operations.len() == 1);
            let look = |account: &String| {
                let mut arguments = json!({ "accountId": account });
                put(&mut arguments, "month", month.clone());
                put(&mut arguments, "operationId", operation.cloned());
                Step::call("gf_pair_status", arguments)
            };
            accounts.iter().map(look).collect()
        }
        Targets::First(step) => vec![step],
        Targets::None => return None,
    })
}

/// "Is that account healthy again?", or "give me its status" where the message named one account before.
fn points_at_one(scene: &Scene) -> bool {
    let clause = scene.clause;
    let asks = clause.is_question() || clause.any(&[Sense::Show, Sense::Want, Sense::Check]);
    let about = clause.any(&[Sense::Health, Sense::Standby, Sense::Primary, Sense::Trouble, Sense::Progress]);
    let this = ["that account", "this account", "that gateway", "this gateway", "that pair", "this pair"]
        .iter()
        .any(|said| clause.phrase(said));
    let named_before = scene.earlier.iter().any(|before| before.slots.accounts.len() == 1);
    // "What is its SLA?", right after a look at the account.
    let looked =
        scene.memory.last_use().is_some_and(|used| used.tool == "gf_pair_status") && clause.says("its");
    let it = looked || named_before && (clause.has(Sense::Pronoun) || clause.says("its"));
    clause.slots.is_empty() && asks && about && (this || it)
}
