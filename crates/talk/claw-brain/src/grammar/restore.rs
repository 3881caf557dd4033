//! An account comes back from its archive or a snapshot.

use super::Scene;
use crate::{
    language::Sense,
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let (clause, memory) = (scene.clause, scene.memory);
    let undoes = clause.orders(Sense::Rollback)
        && (clause.has(Sense::Remove) || memory.last_change() == Some("gf_teardown"));
    if !clause.orders(Sense::Restore) && !undoes {
        return None;
    }
    if clause.says_any(&[
        "yesterday",
        "ago",
        "earlier",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]) {
        return Some(vec![Step::ask(
            "I restore from an archive or a snapshot by its id, not from a moment. Which one?",
        )]);
    }
    let gone = memory.last_teardown();
    let accounts = match clause.slots.accounts.as_slice() {
        [] => gone
            .as_ref()
            .map(|gone| gone.accounts.clone())
            .filter(|accounts| accounts.len() == 1)
            .unwrap_or_default(),
        named => named.to_vec(),
    };
    if accounts.is_empty() {
        return Some(vec![Step::ask("Which account shall I restore? Please name it by id.")]);
    }
    // Archives that don't say whose they are belong to the teardown of just this account.
    let same = gone.as_ref().is_some_and(|gone| gone.accounts == accounts) && accounts.len() == 1;
    let archives = gone.map(|gone| gone.archives).unwrap_or_default();
    let calls = accounts.iter().map(|account| {
        let known = archives.iter().find(|(of, _)| of.as_ref() == Some(account));
        let only = archives.first().filter(|_| same && archives.iter().all(|(of, _)| of.is_none()));
        let archive =
            clause.slots.archives.first().cloned().or_else(|| known.or(only).map(|(_, id)| id.clone()));
        let mut arguments = json!({ "accountId": account, "reason": "operator request" });
        match clause.slots.snapshots.first() {
            Some(snapshot) => put(&mut arguments, "snapshot", Some(snapshot.as_str())),
            None => put(&mut arguments, "archive", archive),
        }
        Step::call("gf_restore", arguments)
    });
    Some(calls.collect())
}
