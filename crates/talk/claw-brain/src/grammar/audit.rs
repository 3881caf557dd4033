//! Who did what and when.

use super::{Scene, times};
use crate::{
    language::{Clause, Kind, Mood, Sense},
    step::{Step, put},
};
use serde_json::json;

const AGENTS: [&str; 6] = ["guardian", "commander", "forge", "ledger", "triage", "briefer"];
const OTHERS: [&str; 12] =
    ["you", "i", "we", "they", "it", "he", "she", "the", "somebody", "someone", "anybody", "anyone"];
/// Acts as the audit names them.
const ACTS: &[(Sense, &str)] = &[
    (Sense::Remove, "teardown"),
    (Sense::Restart, "restart"),
    (Sense::Failover, "failover"),
    (Sense::Restore, "restore"),
    (Sense::Resize, "resize"),
    (Sense::Rollback, "rollback"),
    (Sense::Silence, "silence"),
    (Sense::Make, "provision"),
    (Sense::Push, "config_push"),
];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if !asked(clause) {
        return None;
    }
    let mut arguments = json!({});
    put(&mut arguments, "account", clause.slots.accounts.first().map(String::as_str));
    put(&mut arguments, "instance", clause.slots.instances.first().map(String::as_str));
    if clause.slots.accounts.is_empty()
        && clause.slots.instances.is_empty()
        && scene.earlier.is_empty()
        && clause.says_any(&["it", "its"])
        && !clause.phrase("so that")
    {
        put(&mut arguments, "account", scene.pointed_account());
    }
    put(
        &mut arguments,
        "actor",
        AGENTS
            .into_iter()
            .find(|agent| clause.says(agent) && clause.tokens.first().is_none_or(|t| t.text != *agent))
            .or_else(|| person(clause)),
    );
    let act = ACTS.iter().find(|(sense, _)| {
        clause
            .tokens
            .iter()
            .any(|token| token.is(*sense) && (!token.is(Sense::Operation) || token.text == "push"))
    });
    put(&mut arguments, "action", act.map(|(_, name)| *name));
    let window = times::window(clause, scene.now);
    put(&mut arguments, "from", window.from);
    put(&mut arguments, "to", window.to);
    let listed = act.is_some() && clause.any(&[Sense::Show, Sense::Want]) && clause.says("last");
    let entries =
        listed || clause.says_any(&["entry", "entries", "rows", "row", "events", "lines", "actions"]);
    put(
        &mut arguments,
        "limit",
        clause.slots.numbers.first().filter(|_| entries && clause.slots.minutes.is_none()).map(|(n, _)| *n),
    );
    let mut steps = vec![Step::call("gf_audit_log", arguments)];
    // What befell one instance is also in its health: restarts, and what fails. Last, so that "and now?" is about it.
    if clause.says("happened") && act.is_none() && !times::names_past(clause) {
        let ids = clause.slots.instances.iter();
        steps.extend(ids.map(|id| Step::call("gf_instance_health", json!({ "instanceId": id }))));
    }
    Some(steps)
}

/// "What did Anna do?": who is no agent of ours.
fn person(clause: &Clause) -> Option<&str> {
    let after_did = clause
        .tokens
        .windows(3)
        .find(|three| three[0].text == "did" && matches!(three[2].text.as_str(), "do" | "change" | "touch"));
    let name = &after_did?[1];
    let named = name.kind == Kind::Word && name.senses.is_empty() && !OTHERS.contains(&name.text.as_str());
    named.then_some(name.text.as_str())
}

/// The log by name, or a question about the past.
fn asked(clause: &Clause) -> bool {
    if clause.negated
        || clause.says("flagged")
        || clause.slots.provider().is_some()
        || clause.has(Sense::Provider)
    {
        return false;
    }
    if clause.has(Sense::Audit) && !clause.has(Sense::Incident) {
        return true;
    }
    let past_act =
        clause.tokens.iter().any(|token| token.past && ACTS.iter().any(|(sense, _)| token.is(*sense)));
    let act = ACTS.iter().any(|(sense, _)| clause.has(*sense));
    let hypothetical = clause.says_any(&["if", "would", "should", "could", "can", "will"]);
    let done = (clause.phrase("did you") || clause.phrase("have you") || clause.phrase("have been"))
        && (act || clause.says("what") || clause.says("do"));
    let shows = clause.head_is(Sense::Show);
    let happened = clause.says_any(&["happened", "changed"]) && clause.says("what");
    // "What was going on over the past hour?": of a time that is over only the records tell.
    let told = clause.says_any(&["what", "anything", "everything", "events", "event"]);
    let over = told
        && times::names_past(clause)
        && !clause.any(&[Sense::Cost, Sense::Waste, Sense::Idle, Sense::Incident, Sense::Report]);
    let agent_did = clause.says("did") && AGENTS.iter().any(|agent| clause.says(agent));
    let touched = clause.says("who") && clause.says_any(&["touched", "changed", "modified", "did"]);
    if clause.phrase("you did") && clause.head_is(Sense::Show) || person(clause).is_some() {
        return true;
    }
    // "List all failovers of the last day", "give me the last ten restarts".
    let listed = clause.any(&[Sense::Show, Sense::Want])
        && act
        && clause.says_any(&["last", "past", "recent", "latest", "today", "yesterday", "week", "ever"]);
    if listed
        && clause.slots.accounts.is_empty()
        && clause.slots.tiers.is_empty()
        && !clause.orders(Sense::Make)
        && !clause.orders(Sense::Push)
    {
        return true;
    }
    let who = clause.says_any(&["who", "was", "were", "has"]) && past_act && !clause.any(&[Sense::Cost]);
    let of_old = clause.slots.accounts.is_empty()
        && act
        && (clause.says_any(&["was", "were", "last"]) || clause.phrase("when did"));
    const AGREED: [&str; 6] = ["approved", "agreed", "allowed", "permitted", "permission", "decided"];
    let signed = clause.says_any(&["who", "whom", "whose"])
        && (clause.has(Sense::Approve) || clause.says_any(&AGREED));
    // "Can you show me …" asks for nothing hypothetical.
    let told_of = over && clause.mood == Mood::Statement;
    (clause.is_question() && !hypothetical || shows || told_of)
        && (over || touched || of_old || signed || done || happened || agent_did || who)
}
