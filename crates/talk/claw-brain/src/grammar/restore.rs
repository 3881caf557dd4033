//! An account comes back from its archive or a snapshot.

use super::Scene;
use crate::{
    language::{Kind, Sense},
    step::{Step, put},
};
use serde_json::json;

/// "I deleted 0333 by accident, undo that."
pub fn undoes_removal(scene: &Scene) -> bool {
    let removed = scene.earlier.last().is_some_and(|before| {
        before.slots.accounts.len() == 1
            && before.tokens.iter().any(|token| token.past && token.is(Sense::Remove))
    });
    removed && scene.clause.orders(Sense::Rollback) && scene.clause.slots.is_empty()
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let (clause, memory) = (scene.clause, scene.memory);
    let undoes = clause.orders(Sense::Rollback)
        && (clause.has(Sense::Remove) || memory.last_change() == Some("gf_teardown"));
    // "I need that account after all."
    let misses = memory.last_change() == Some("gf_teardown")
        && clause.orders(Sense::Want)
        && clause.any(&[Sense::Account, Sense::Pronoun])
        && (clause.says("again") || clause.phrase("after all"))
        && !clause.has(Sense::Health);
    // "Roll acct-0107 back to snap-22b7" means its memory, not its configuration.
    let rolls =
        [Sense::Rollback, Sense::Move, Sense::Use, Sense::Push].iter().any(|verb| clause.orders(*verb))
            && !(clause.slots.snapshots.is_empty() && clause.slots.archives.is_empty())
            && !clause.slots.accounts.is_empty();
    let undoes = undoes || undoes_removal(scene);
    if !clause.orders(Sense::Restore) && !undoes && !misses && !rolls {
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
    // "Restore acct-0099 as acct-0100"
    let renamed = clause.tokens.windows(2).any(|two| {
        matches!(two[0].text.as_str(), "as" | "to" | "into" | "onto" | "over")
            && matches!(two[1].kind, Kind::Account(_))
    });
    if renamed && clause.slots.accounts.len() > 1 {
        return Some(vec![Step::ask(
            "An account comes back under its own id. Shall I restore it that way, and which one?",
        )]);
    }
    let gone = memory.last_teardown();
    // "acct-0777 was removed by mistake, restore it".
    let kept = !clause.slots.snapshots.is_empty() || !clause.slots.archives.is_empty();
    let points = kept || clause.any(&[Sense::Pronoun, Sense::Account]) || clause.says_any(&["its", "their"]);
    let pointed = scene.pointed_accounts();
    let accounts = match clause.slots.accounts.as_slice() {
        [] if pointed.len() == 1 && points && clause.slots.ordinals.is_empty() => pointed,
        [] => gone
            .as_ref()
            .map(|gone| gone.accounts.clone())
            .filter(|accounts| accounts.len() == 1)
            .unwrap_or_default(),
        named => named.to_vec(),
    };
    // "The first account" must be the one that was torn down, as the accounts were counted then.
    let counted = clause.slots.ordinals.first().filter(|_| clause.slots.accounts.is_empty());
    let other = counted.zip(memory.listed_before_teardown()).is_some_and(|(nth, listed)| {
        let at = if *nth < 0 { listed.len().checked_sub(1) } else { usize::try_from(nth - 1).ok() };
        at.and_then(|at| listed.get(at)).is_some_and(|account| !accounts.contains(account))
    });
    if accounts.is_empty() || other {
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
