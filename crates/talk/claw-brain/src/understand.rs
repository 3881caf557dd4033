//! From a message and what came before it to steps, in the order in which they were said.
//!
//! Reading is repeated from the messages on every call; the same messages always give the same steps.

use crate::{
    chat::Call,
    correction,
    envelope::{Exchange, Said, ToolUse},
    grammar::{self, CHANGES, Scene},
    language::{Clause, Mood, Sense, clauses},
    memory::Memory,
    notice,
    step::Step,
    telling,
};

/// How far back an unanswered question may reach through answers that were incomplete too.
const PENDING_DEPTH: usize = 4;
/// Results that help to find out what was meant.
const LOOKUPS: [&str; 2] = ["gf_fleet_status", "gf_cost_report"];

const NOT_UNDERSTOOD: &str =
    "I did not understand that. I look after the fleet: ask me for \"help\" to see what I can do.";
const UNSURE: &str = "I am not sure what you mean, so I did nothing. Which account, instance or operation, and what shall I do?";
const PARTLY_UNDERSTOOD: &str =
    "One part of your message I did not understand; please say it in other words.";

const TAKEN_BACK: &str = "You corrected yourself in the middle, so I did nothing yet. Which is it? Please say it once more, in one piece.";

#[derive(Debug, Default)]
pub struct Understanding {
    pub steps: Vec<Step>,
    /// The request that a question of ours is about.
    pending: Option<Clause>,
}

pub fn understand(past: &[Exchange], exchange: &Exchange) -> Understanding {
    let found = within(past, exchange, PENDING_DEPTH);
    match correction::of(&exchange.said.text) {
        Some(after) => corrected(found, past, exchange, after),
        None => found,
    }
}

/// Of a message that takes something back only looks are read to the end; a change is asked about.
fn corrected(found: Understanding, past: &[Exchange], exchange: &Exchange, after: String) -> Understanding {
    let changing =
        |call: &&Call| !gf_tools::tool(&call.tool).is_some_and(|tool| tool.only_reads(&call.arguments));
    let changed: Vec<&Call> = found.calls().filter(changing).collect();
    if changed.is_empty() {
        let said = Said { text: after, ..exchange.said.clone() };
        let again = within(past, &Exchange { said, ..exchange.clone() }, 0);
        let looks = again.calls().next().is_some() && !again.calls().any(|call| changing(&call));
        return if looks { again } else { found };
    }
    // A count that was put right at once is settled by the grammar of new accounts.
    if changed.iter().all(|call| call.tool == "gf_provision") {
        return found;
    }
    Understanding { steps: vec![Step::Ask(TAKEN_BACK.to_owned())], pending: None }
}

impl Understanding {
    fn calls(&self) -> impl Iterator<Item = &Call> {
        self.steps.iter().filter_map(|step| if let Step::Do(call) = step { Some(call) } else { None })
    }
}

fn within(past: &[Exchange], exchange: &Exchange, depth: usize) -> Understanding {
    let lookups: Vec<ToolUse> =
        exchange.uses.iter().filter(|used| LOOKUPS.contains(&used.tool.as_str())).cloned().collect();
    let memory = Memory::new(past, &lookups);
    let parts = refined(clauses(&exchange.said.text));
    if let [only] = parts.as_slice()
        && let Some(completed) = completed(past, only, depth)
    {
        let scene =
            Scene { clause: &completed, earlier: &[], later: &[], memory: &memory, now: exchange.said.at };
        if let Some(steps) = grammar::read(&scene) {
            return settled(vec![(completed.clone(), steps)], false);
        }
    }
    let mut read = Vec::new();
    let mut missed = 0;
    for (at, clause) in parts.iter().enumerate() {
        if telling::sets_scene(&parts, at, !read.is_empty()) {
            continue;
        }
        let scene = Scene {
            clause,
            earlier: &parts[..at],
            later: &parts[at + 1..],
            memory: &memory,
            now: exchange.said.at,
        };
        match grammar::read(&scene) {
            Some(steps) => read.push((clause.clone(), steps)),
            // What only explains a request ("it's for the pilot") is none itself.
            None if clause.mood == Mood::Statement && at > 0 && !read.is_empty() => {}
            // "Hang on", "oh dear": a few words before a request, which name nothing.
            None if clause.mood == Mood::Statement && at + 1 < parts.len() && only_exclaims(clause) => {}
            None => missed += 1,
        }
    }
    if read.is_empty()
        && parts
            .iter()
            .any(|part| part.any(CHANGES) || part.has(Sense::Pronoun) || part.slots.names_anything())
    {
        return Understanding { steps: vec![Step::Ask(UNSURE.to_owned())], pending: None };
    }
    if read.is_empty() {
        return Understanding { steps: vec![Step::Decline(NOT_UNDERSTOOD.to_owned())], pending: None };
    }
    settled(read, missed > 0)
}

fn only_exclaims(clause: &Clause) -> bool {
    let words = clause.tokens.iter().filter(|token| !token.is_break()).count();
    words <= 4 && clause.slots.is_empty() && !clause.negated && !clause.says("not") && !clause.any(CHANGES)
}

fn settled(read: Vec<(Clause, Vec<Step>)>, missed: bool) -> Understanding {
    let mut found = Understanding::default();
    if let Some(question) = spared(&read) {
        return Understanding { steps: vec![Step::Ask(question)], pending: None };
    }
    let read = with_one_count(read);
    for (clause, steps) in read {
        if steps.iter().any(|step| matches!(step, Step::Ask(_))) {
            found.pending = Some(clause);
        }
        let new: Vec<Step> = steps.into_iter().filter(|step| !already(&found.steps, step)).collect();
        found.steps.extend(new);
    }
    if missed {
        found.steps.push(Step::Ask(PARTLY_UNDERSTOOD.to_owned()));
    }
    found
}

/// "10 accounts, 5 nano and 5 pro": where one part of new accounts is asked about, none of the others is made.
fn with_one_count(mut read: Vec<(Clause, Vec<Step>)>) -> Vec<(Clause, Vec<Step>)> {
    let makes = |clause: &Clause| clause.orders(Sense::Make) && clause.slots.accounts.is_empty();
    let asked =
        read.iter().any(|(clause, steps)| makes(clause) && matches!(steps.as_slice(), [Step::Ask(_)]));
    if asked {
        let new = |step: &Step| matches!(step, Step::Do(call) if call.tool == "gf_provision");
        read.iter_mut().for_each(|(_, steps)| steps.retain(|step| !new(step)));
    }
    read
}

/// Whether a step is there, or is the same look as one before it with nothing named ("the monthly cost, and where can
/// we save?").
fn already(steps: &[Step], step: &Step) -> bool {
    const REPORTS: [&str; 1] = ["gf_cost_report"];
    let bare = |call: &Call| call.arguments.as_object().is_some_and(serde_json::Map::is_empty);
    let repeats = |before: &Step| match (before, step) {
        (Step::Do(before), Step::Do(call)) => {
            before.tool == call.tool && REPORTS.contains(&call.tool.as_str()) && bare(call)
        }
        _ => false,
    };
    steps.contains(step) || steps.iter().any(repeats)
}

/// What one part of a message wants kept must not be in what another part changes.
fn spared(read: &[(Clause, Vec<Step>)]) -> Option<String> {
    let keeps = |(clause, _): &&(Clause, Vec<Step>)| {
        clause.negated
            || clause.head_is(Sense::Keep)
            || clause.tokens.iter().take(2).any(|token| token.is(Sense::Keep))
    };
    let calls: Vec<&Call> = read
        .iter()
        .filter(|part| !keeps(part))
        .flat_map(|(_, steps)| steps)
        .filter_map(|step| if let Step::Do(call) = step { Some(call) } else { None })
        .filter(|call| gf_tools::tool(&call.tool).is_none_or(|tool| !tool.only_reads(&call.arguments)))
        .collect();
    read.iter().filter(keeps).find_map(|(clause, _)| {
        let ids = clause.slots.accounts.iter().chain(&clause.slots.instances).chain(&clause.slots.operations);
        let touched = ids.into_iter().find(|id| calls.iter().any(|call| call.arguments.to_string().contains(&format!("\"{id}\""))));
        if let Some(id) = touched {
            return Some(format!("Shall {id} be left alone or not? I did nothing yet; please name exactly which, by id."));
        }
        let described = calls.iter().any(|call| call.arguments["filter"].is_object() || call.arguments["targets"].is_object() || call.arguments["targets"] == "all");
        let some = clause.any(&[Sense::Pronoun, Sense::Primary, Sense::Standby]) || !clause.slots.providers.is_empty() || !clause.slots.regions.is_empty() || !clause.slots.tiers.is_empty();
        let listed = calls.iter().any(|call| call.arguments["accountIds"].as_array().is_some_and(|ids| ids.len() > 2));
        let those = clause.says_any(&["those", "ones", "them"]) && (!clause.slots.providers.is_empty() || !clause.slots.regions.is_empty());
        (described && some || listed && those)
            .then(|| "I don't act on exceptions. Please say exactly which accounts or instances, by id; I did nothing yet.".to_owned())
    })
}

/// The earlier request that this message completes ("standard", after we asked for the tier).
fn completed(past: &[Exchange], clause: &Clause, depth: usize) -> Option<Clause> {
    // What the control plane told meanwhile is no part of the talk, and leaves a question of ours open.
    let newest = past.iter().rposition(|exchange| notice::read(&exchange.said.text).is_none())?;
    let (last, before) = (&past[newest], &past[..newest]);
    let slots = &clause.slots;
    let counted = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let answer_words = clause.any(&[Sense::Yes, Sense::No, Sense::Thanks]);
    let answers = clause.mood == Mood::Statement
        || (clause.mood == Mood::Order && counted <= 5 && !clause.has(Sense::Account));
    let names = !slots.is_empty() || clause.any(&[Sense::All, Sense::Fleet, Sense::Both]);
    if depth == 0 || !answers || !names || answer_words || counted > 10 || clause.negated {
        return None;
    }
    let pending = within(before, last, depth - 1).pending?;
    // An order of another kind ("restart i-7f3a") is a new request, not an answer.
    let other_order = clause.mood == Mood::Order
        && !clause.any(&[Sense::Make, Sense::Use, Sense::Want, Sense::Set, Sense::Move]);
    (!other_order).then(|| pending.with(&clause.tokens))
}

/// "… on 0012 and 0044. Immediate, no batches": how a push shall run, in a sentence of its own.
fn takes_manner(push: &Clause, part: &Clause) -> bool {
    let json = !push.slots.json.is_empty() && !push.is_question();
    let manner = part.says_any(&["rolling", "canary", "immediate", "immediately", "batch", "batches"])
        || part.phrase("at a time");
    // "… let each batch settle for two minutes" must not get lost.
    let settles = part.says_any(&["settle", "settling", "batch", "batches", "wait"])
        && part.mood == Mood::Order
        && !part.any(&[
            Sense::Remove,
            Sense::Restart,
            Sense::Resize,
            Sense::Make,
            Sense::Push,
            Sense::Send,
            Sense::Show,
        ])
        && !part.slots.names_anything();
    json && settles
        || json
            && manner
            && part.mood == Mood::Statement
            && !part.slots.names_anything()
            && !part.any(CHANGES)
}

/// Joins what only refines an order to it: "Provision 20 accounts. Use EU regions, Hetzner primary."
fn refined(parts: Vec<Clause>) -> Vec<Clause> {
    let mut joined: Vec<Clause> = Vec::new();
    for part in parts {
        let slots = &part.slots;
        let places = !slots.providers.is_empty() || !slots.regions.is_empty() || !slots.tiers.is_empty();
        let alone = !slots.accounts.is_empty() || !slots.instances.is_empty() || !slots.json.is_empty();
        let refines =
            places && !alone && !part.negated && (part.head_is(Sense::Use) || part.mood == Mood::Statement);
        let corrects = part.says_any(&["actually", "rather", "instead", "mean"])
            && !alone
            && (!slots.numbers.is_empty() || !slots.tiers.is_empty());
        let refines = refines || (corrects && !part.is_question());
        // "But keep their standbys" takes something back from the order before it.
        let excludes = matches!(
            part.tokens.iter().find(|token| !token.is_break()).map(|token| token.text.as_str()),
            Some("not" | "but" | "except" | "but not" | "excluding" | "without" | "minus")
        ) || part.tokens.get(1).is_some_and(|token| {
            matches!(token.text.as_str(), "not" | "except" | "but not") && part.tokens[0].text == "but"
        });
        let excludes = excludes && !part.any(CHANGES) && part.any_exception();
        let takes_back = excludes
            || part.head_is(Sense::Keep)
                && slots.is_empty()
                && part.any(&[Sense::Standby, Sense::Primary, Sense::Archive]);
        let patch_follows = !slots.json.is_empty() && part.mood == Mood::Statement;
        match joined.last_mut() {
            Some(last) if refines && (last.orders(Sense::Make) || last.orders(Sense::Want)) => {
                *last = last.with(&part.tokens)
            }
            // "Restore acct-0221, using the snapshot snap-77aa": from where must not get lost.
            Some(last)
                if last.orders(Sense::Restore)
                    && !(slots.snapshots.is_empty() && slots.archives.is_empty())
                    && slots.accounts.is_empty()
                    && !part.is_question() =>
            {
                *last = last.with(&part.tokens)
            }
            Some(last) if takes_manner(last, &part) => *last = last.with(&part.tokens),
            Some(last) if takes_back => *last = last.with(&part.tokens),
            Some(last) if patch_follows && last.orders(Sense::Push) => *last = last.with(&part.tokens),
            _ => joined.push(part),
        }
    }
    joined
}
