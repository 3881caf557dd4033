//! "Go", "yes", "no", "approve A7K2" as a message.
//!
//! A person's answer is taken by the control plane, never here: these words only lead to looking at how the
//! work behind the question stands now.

use super::Scene;
use crate::{
    language::{Kind, Sense},
    step::Step,
};
use serde_json::json;

const AROUND: &[&str] = &[
    "please", "then", "ok", "okay", "and", "well", "it", "that", "this", "with", "so", "now", "the", "i",
    "all", "right", "good", "thanks", "do", "plan", "ahead", "a", "second", "moment", "minute", "sec",
    "alright", "fine", "cool", "we", "can", "you", "may", "for", "be", "me", "is", "just", "your", "my",
    "from", "approval", "here", "say", "look", "looks", "sounds", "let", "us", "nice", "great", "perfect",
];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let tokens = clause.tokens.iter().filter(|token| !token.is_break());
    let mut said = false;
    for token in tokens {
        let answers = token.is(Sense::Yes) || token.is(Sense::No) || token.is(Sense::Approve);
        let around = AROUND.contains(&token.text.as_str()) || matches!(token.kind, Kind::Code(_));
        if !answers && !around {
            return None;
        }
        said |= answers;
    }
    // A mere "ok" answers a question where one is open, and is a nod otherwise.
    let nod = !said && clause.says_any(&["ok", "okay", "alright", "fine", "good", "right", "cool"]);
    let nothing_open = scene.memory.open_codes().is_empty();
    if nod && nothing_open && !clause.is_question() {
        return Some(vec![Step::Say("All right.".to_owned())]);
    }
    if !(said || nod) || clause.is_question() {
        return None;
    }
    let codes =
        if clause.slots.codes.is_empty() { scene.memory.open_codes() } else { clause.slots.codes.clone() };
    if codes.is_empty() {
        return Some(vec![Step::ask(
            "I know of no open question in this conversation, so nothing was started. What shall I do?",
        )]);
    }
    let look = |code: &String| Step::call("gf_operation", json!({ "id": code, "action": "get" }));
    Some(codes.iter().map(look).collect())
}
