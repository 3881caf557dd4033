//! Which accounts a clause means: named, counted ("the second"), pointed at ("it"), or by a property ("the idle ones").

use super::Scene;
use crate::{language::Sense, step::Step};

pub enum Targets {
    Accounts(Vec<String>),
    /// Something must be looked up or asked first.
    First(Step),
    /// The clause names none.
    None,
}

pub fn accounts(scene: &Scene, verb: &str) -> Targets {
    let (clause, memory) = (scene.clause, scene.memory);
    if !clause.slots.accounts.is_empty() {
        return Targets::Accounts(clause.slots.accounts.clone());
    }
    if clause.has(Sense::Idle) {
        return wasteful(scene, "idle");
    }
    if clause.has(Sense::Oversized) {
        return wasteful(scene, "oversized");
    }
    if !clause.slots.ordinals.is_empty() {
        return counted(scene, &clause.slots.ordinals, verb);
    }
    if clause.has(Sense::Both) {
        return match memory.listed_accounts() {
            Some(both) if both.len() == 2 => Targets::Accounts(both),
            Some(_) => ask(verb),
            None if memory.looked_up("gf_fleet_status") => ask(verb),
            None => Targets::First(Step::list_accounts()),
        };
    }
    if clause.has(Sense::All) {
        return ask(verb);
    }
    // "The account behind i-10d4", as a list or a look has named it.
    let behind: Option<Vec<String>> =
        clause.slots.instances.iter().map(|instance| memory.account_of(instance)).collect();
    if let Some(behind) = behind.filter(|found| !found.is_empty() && clause.has(Sense::Account)) {
        return Targets::Accounts(behind);
    }
    if !clause.slots.instances.is_empty() {
        return Targets::First(Step::ask(format!("That is an instance. Which account shall I {verb}?")));
    }
    // "We don't need the second one any more, take it down."
    if let Some(before) = scene.earlier.last().filter(|before| {
        clause.has(Sense::Pronoun)
            && (before.says_any(&["need", "want"]) || !before.negated && !before.says("not"))
            && before.slots.accounts.is_empty()
            && !before.slots.ordinals.is_empty()
    }) {
        return counted(scene, &before.slots.ordinals, verb);
    }
    let unclear = scene
        .earlier
        .last()
        .is_some_and(|before| !before.slots.ordinals.is_empty() && before.slots.accounts.is_empty());
    if unclear && clause.has(Sense::Pronoun) {
        return ask(verb);
    }
    // "acct-0450 closed their account, remove the pair": what this message has named.
    let named = scene.pointed_accounts();
    let those = clause.says_any(&["the", "their", "its", "that", "this", "these", "those"])
        && clause.has(Sense::Account);
    let possessed = clause.says_any(&["its", "their"]);
    if let [only] = named.as_slice()
        && (those || possessed)
    {
        return Targets::Accounts(vec![only.clone()]);
    }
    if named.len() > 1 && clause.says_any(&["them", "these", "those", "their"]) {
        return Targets::Accounts(named);
    }
    match scene.pointed_account().filter(|_| clause.has(Sense::Pronoun)) {
        Some(account) => Targets::Accounts(vec![account]),
        None => Targets::None,
    }
}

fn ask(verb: &str) -> Targets {
    Targets::First(Step::ask(format!(
        "Which accounts shall I {verb}? Please name them by id; I don't do that to a whole fleet at once."
    )))
}

/// "The second account", "the first and the third".
fn counted(scene: &Scene, ordinals: &[i64], verb: &str) -> Targets {
    // Of a cost report's lists nobody said which is counted.
    if scene.memory.last_use().is_some_and(|used| used.tool == "gf_cost_report") {
        return ask(verb);
    }
    let Some(listed) = scene.memory.listed_accounts() else {
        if scene.memory.looked_up("gf_fleet_status") {
            return ask(verb);
        }
        return Targets::First(Step::list_accounts());
    };
    let nth = |ordinal: &i64| match *ordinal {
        -1 => listed.last().cloned(),
        ordinal => usize::try_from(ordinal - 1).ok().and_then(|at| listed.get(at).cloned()),
    };
    let found: Option<Vec<String>> = ordinals.iter().map(nth).collect();
    match found {
        Some(found) => Targets::Accounts(found),
        None if scene.memory.looked_up("gf_fleet_status") => ask(verb),
        None => Targets::First(Step::list_accounts()),
    }
}

/// The idle or oversized accounts of the newest cost report; a count that was said must be theirs.
fn wasteful(scene: &Scene, kind: &str) -> Targets {
    let Some(waste) = scene.memory.waste(kind) else {
        if scene.memory.looked_up("gf_cost_report") {
            return Targets::First(Step::Say(format!(
                "The cost report names no {kind} accounts, so there is nothing to do about them."
            )));
        }
        return Targets::First(Step::look_up("gf_cost_report", serde_json::json!({})));
    };
    let said = scene.clause.slots.numbers.first().map(|(n, _)| *n);
    if said.is_some_and(|said| said != waste.accounts.len() as i64) {
        return Targets::First(Step::ask(format!(
            "The cost report names another number of {kind} accounts than you said. Shall I take all that it names, or which ids?"
        )));
    }
    Targets::Accounts(waste.accounts)
}
