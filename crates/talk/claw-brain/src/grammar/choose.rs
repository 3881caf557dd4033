//! "Restart them", "bounce the first two", "fail over the one at Vultr": orders about instances that were just listed.

use super::{
    Scene,
    pick::{self, Item},
};
use crate::{language::Sense, step::Step};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let restarts = clause.orders(Sense::Restart);
    let fails_over = clause.orders(Sense::Failover);
    if !(restarts || fails_over) || !scene.earlier.is_empty() {
        return None;
    }
    let listed = items(scene);
    let points = clause.any(&[Sense::Pronoun, Sense::Both])
        || !clause.slots.ordinals.is_empty()
        || clause.says_any(&["first", "last", "top"])
        || (clause.has(Sense::All) && !clause.slots.numbers.is_empty());
    let halves = clause.any(&[Sense::Primary, Sense::Standby]) && clause.says_any(&["only", "just"]);
    let points = points || halves;
    let described = !clause.slots.states.is_empty()
        || clause
            .slots
            .accounts
            .iter()
            .chain(&clause.slots.instances)
            .any(|id| !listed.iter().any(|item| item.id == *id || item.account == *id));
    let singular = clause.says_any(&["it", "this"]) && listed.len() != 1;
    let ids = clause.slots.accounts.iter().chain(&clause.slots.instances).count();
    let named = ids > 0 && !clause.says_any(&["not", "except"]);
    if listed.is_empty() || !points || described || singular || named {
        return None;
    }
    let Some(chosen) = pick::of(clause, &listed).filter(|chosen| one_is_one(scene, chosen)) else {
        return Some(vec![Step::ask("Which of those do you mean? Please name them by id.")]);
    };
    if restarts {
        let ids: Vec<&str> = chosen.iter().map(|item| item.id.as_str()).collect();
        return Some(vec![Step::call(
            "gf_bulk_restart",
            json!({ "instanceIds": ids, "reason": "operator request" }),
        )]);
    }
    let mut accounts: Vec<&str> = chosen.iter().map(|item| item.account.as_str()).collect();
    accounts.dedup();
    let call = |account: &&str| {
        Step::call("gf_failover", json!({ "accountId": account, "reason": "operator request" }))
    };
    Some(accounts.iter().map(call).collect())
}

/// "What's wrong with the third?"
pub fn question(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let reads = clause.is_question() || clause.head_is(Sense::Show) || clause.head_is(Sense::Check);
    if !reads || clause.negated || clause.slots.ordinals.is_empty() || clause.has(Sense::Account) {
        return None;
    }
    let chosen = pick::of(clause, &items(scene)).filter(|chosen| chosen.len() <= 4)?;
    let look = |item: &Item| Step::call("gf_instance_health", json!({ "instanceId": item.id }));
    Some(chosen.iter().map(look).collect())
}

/// "The one at Contabo" must be one.
fn one_is_one(scene: &Scene, chosen: &[Item]) -> bool {
    let one = scene.clause.tokens.iter().any(|token| token.raw.eq_ignore_ascii_case("one"));
    !one || chosen.len() == 1
}

fn items(scene: &Scene) -> Vec<Item> {
    let lines = scene.memory.listed_instances();
    let item = |line: gf_tools::InstanceLine| Item {
        id: line.instance_id,
        account: line.account_id,
        provider: line.provider,
        region: line.region,
        role: line.role,
    };
    lines.into_iter().map(item).collect()
}
