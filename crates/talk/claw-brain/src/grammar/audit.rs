//! Who did what and when.

use super::{Scene, times};
use crate::{
    language::{Clause, Kind, Lexicon, Mood, Sense, Token},
    step::{Step, put},
};
use serde_json::json;

const AGENTS: [&str; 6] = ["guardian", "commander", "forge", "ledger", "triage", "briefer"];
const OTHERS: [&str; 12] =
    ["you", "i", "we", "they", "it", "he", "she", "the", "somebody", "someone", "anybody", "anyone"];
/// What is done to a provider's policy.
const POLICY: &[Sense] = &[Sense::Pause, Sense::Resume, Sense::Set, Sense::Move, Sense::Use];
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
    let of_provider = clause.slots.provider().is_some() && clause.any(POLICY);
    let action = if of_provider { Some("provider_policy") } else { act.map(|(_, name)| *name) };
    put(&mut arguments, "action", action);
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

/// "What did Anna do?", "everything that Anna did": who is no agent of ours.
fn person(clause: &Clause) -> Option<&str> {
    const DID: [&str; 4] = ["did", "changed", "touched", "deployed"];
    let before_did =
        clause.tokens.windows(2).find(|two| DID.contains(&two[1].text.as_str())).map(|two| &two[0]);
    let has_done = clause
        .tokens
        .windows(3)
        .find(|three| {
            matches!(three[0].text.as_str(), "has" | "have")
                && matches!(three[2].raw.as_str(), "done" | "changed" | "touched")
        })
        .map(|three| &three[1]);
    let plain = |name: &&Token| {
        name.kind == Kind::Word
            && name.senses.is_empty()
            && !OTHERS.contains(&name.text.as_str())
            && !Lexicon::get().is_english(&name.text)
    };
    let told = clause.says_any(&["everything", "what", "anything", "all", "things"]);
    if let Some(name) = before_did.filter(plain).or(has_done.filter(plain)).filter(|_| told) {
        return Some(&name.text);
    }
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
    // Of a provider only what became of its policy is in the records.
    let of_provider = clause.slots.provider().is_some() || clause.has(Sense::Provider);
    let verb =
        |token: &Token| POLICY.iter().chain(&[Sense::Silence, Sense::Make]).any(|sense| token.is(*sense));
    let decided = clause.says_any(&["who", "when", "why"]) && clause.is_question();
    let hypothetical =
        clause.says_any(&["if", "would", "should", "could", "can", "will", "do", "does", "is", "are", "may"]);
    let past = clause
        .tokens
        .iter()
        .any(|token| verb(token) && (token.past || token.text == "put" || token.text == "set"));
    let past = past || clause.says("did") && clause.tokens.iter().any(verb);
    if of_provider && decided && past && !hypothetical {
        return true;
    }
    if clause.negated || clause.says("flagged") || of_provider || !clause.slots.incidents.is_empty() {
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
    // "How many did we provision on …", "how often was it restarted".
    let counted = ["how many", "how often", "how frequently"].iter().any(|said| clause.phrase(said))
        && act
        && (clause.says_any(&["did", "has", "have"])
            || past_act && clause.says_any(&["was", "were", "been"]));
    let been = clause.says("what")
        && ["been done", "was done", "were done", "been up", "been changed"]
            .iter()
            .any(|said| clause.phrase(said));
    let over = told
        && (times::names_past(clause) || times::moments(clause).next().is_some())
        && !clause.any(&[Sense::Cost, Sense::Waste, Sense::Idle, Sense::Incident, Sense::Report]);
    let agent_did = (clause.says("did") || clause.says("has") && clause.says("done"))
        && AGENTS.iter().any(|agent| clause.says(agent));
    let somebody = ["who", "anyone", "anybody", "someone", "somebody"];
    let touched = clause.says_any(&somebody) && clause.says_any(&["touched", "changed", "modified", "did"]);
    let report = clause.says_any(&["everything", "anything", "all"]) && agent_did;
    if clause.phrase("you did") && clause.head_is(Sense::Show) || person(clause).is_some() || report {
        return true;
    }
    // "List all failovers of the last day", "give me the last ten restarts".
    let bare = clause.mood == Mood::Statement
        && clause.tokens.get(clause.head).is_some_and(|head| {
            matches!(head.text.as_str(), "last" | "latest" | "recent" | "past" | "newest" | "all" | "the")
        })
        && !clause.explains();
    let listed = (bare || clause.any(&[Sense::Show, Sense::Want]))
        && act
        && clause.says_any(&[
            "last",
            "past",
            "recent",
            "latest",
            "today",
            "yesterday",
            "week",
            "ever",
            "since",
            "between",
        ]);
    if listed
        && clause.slots.accounts.is_empty()
        && clause.slots.tiers.is_empty()
        && !clause.orders(Sense::Make)
        && !clause.orders(Sense::Push)
    {
        return true;
    }
    let ended = clause.tokens.iter().any(|token| {
        token.past
            && [Sense::Cancel, Sense::Pause, Sense::Resume, Sense::Retry].iter().any(|sense| token.is(*sense))
    });
    if clause.says("who") && clause.is_question() && ended && !hypothetical {
        return true;
    }
    let who = clause.says_any(&["who", "was", "were", "has"]) && past_act && !clause.any(&[Sense::Cost]);
    let of_old = clause.slots.accounts.is_empty()
        && act
        && (clause.says_any(&["was", "were", "last"]) || clause.phrase("when did"));
    const AGREED: [&str; 7] =
        ["approval", "approved", "agreed", "allowed", "permitted", "permission", "decided"];
    let signed = clause.says_any(&["who", "whom", "whose"])
        && (clause.has(Sense::Approve) || clause.says_any(&AGREED));
    // "Can you show me …" asks for nothing hypothetical.
    let told_of = over && clause.mood == Mood::Statement;
    (clause.is_question() && !hypothetical || shows || told_of)
        && (counted || been || over || touched || of_old || signed || done || happened || agent_did || who)
}
