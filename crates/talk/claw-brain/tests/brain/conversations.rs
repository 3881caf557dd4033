//! Whole conversations of the six acts (`tests/voices/conversations`), each by another person, against a control plane
//! in memory: every answer's numbers stand in that turn's results, and nothing changes that was not ordered.
//!
//! Of the held-out ones only totals are printed, so that nobody comes to tune on them.

use crate::{
    support::{Talk, plane::Plane},
    voices::expect::{Answer, Verdict, changes},
};
use claw_brain::{Call, ChatTurn, honesty::unsupported_numbers};
use serde_json::{Map, Value};
use std::{fs, path::Path};

/// Floors in percent of sentences that lead to exactly what was meant.
const TUNED: usize = 97;
const HELD_OUT: usize = 80;
/// Longest conversation of one turn with the tools.
const ROUNDS: usize = 8;

#[derive(Default)]
struct Score {
    said: usize,
    right: usize,
    wrong_changes: usize,
}

struct Conversation {
    talk: Talk,
    plane: Plane,
    notices: usize,
}

impl Conversation {
    /// One message and all that is done about it: every call, and the answer.
    fn say(&mut self, text: &str, name: &str) -> ChatTurn {
        let mut talk = self.talk.clone().say(text);
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let turn = talk.turn();
            if turn.calls.is_empty() {
                assert_eq!(
                    unsupported_numbers(&turn.text, &results),
                    Vec::<String>::new(),
                    "{name}: {}",
                    turn.text
                );
                self.talk = talk.answered(&turn.text);
                return ChatTurn { text: turn.text, calls };
            }
            for call in turn.calls {
                let reply = self.plane.answer(&call.tool, &call.arguments);
                results.push(reply.to_string());
                talk = talk.used(&call.tool, call.arguments.clone(), reply);
                calls.push(call);
            }
        }
        panic!("{name}: no answer after {ROUNDS} rounds: {calls:?}");
    }

    /// Something happens that nobody said; a notice of it only makes the brain look.
    fn event(&mut self, event: &str, name: &str) {
        let (what, id) = event.split_once(' ').unwrap_or((event, ""));
        let notice = match what {
            "granted" => return self.plane.grant(),
            "running" => return,
            "finished" => self.plane.finish(),
            "healed" => self.plane.heal(id),
            "failover" => self.plane.fail_over(id),
            other => panic!("{name}: no such event: {other}"),
        };
        self.notices += 1;
        let turn = self.say(&format!("[clawops notice note-{:04x}] {notice}", self.notices), name);
        assert!(!turn.calls.iter().any(changes), "{name}: a notice changed something: {:?}", turn.calls);
    }

    /// With `@last`, `@push` and `@code` put in.
    fn named(&self, text: &str) -> String {
        let either = |of_push| {
            self.plane.names(of_push).map_or("none".to_owned(), |(id, code)| format!("{id}|{code}"))
        };
        let code = self.plane.names(false).map_or("none", |(_, code)| code);
        text.replace("@last", &either(false)).replace("@push", &either(true)).replace("@code", code)
    }

    /// What was meant, done in other words, where it was not understood.
    fn repair(&mut self, expected: &str, name: &str) {
        let (tool, arguments) = expected.split_once(' ').unwrap_or((expected, "{}"));
        let wanted: Map<String, Value> =
            serde_json::from_str(arguments).unwrap_or_else(|e| panic!("{name}: {e}: {expected}"));
        let whole = wanted.into_iter().filter(|(key, _)| !key.ends_with('?'));
        let first = |value: Value| match value {
            Value::String(text) => Value::String(text.split('|').next().unwrap_or_default().to_owned()),
            other => other,
        };
        let arguments: Value = whole.map(|(key, value)| (key, first(value))).collect::<Map<_, _>>().into();
        let call = Call { tool: tool.to_owned(), arguments };
        if !changes(&call) || self.done_already(&call) {
            return;
        }
        let reply = self.plane.answer(tool, &call.arguments);
        self.talk =
            self.talk.clone().say("(in other words)").used(tool, call.arguments, reply).answered("Planned.");
    }

    /// Whether the newest work is that already.
    fn done_already(&self, call: &Call) -> bool {
        let arguments = call.arguments.to_string();
        let last = self.talk.messages.iter().rev().find_map(|message| message.tool_calls.as_ref());
        last.is_some_and(|calls| {
            calls.iter().any(|made| made.function.name == call.tool && made.function.arguments == arguments)
        })
    }
}

/// The turn without what was only looked up for a change.
fn to_the_point(turn: &ChatTurn) -> ChatTurn {
    let acts = turn.calls.iter().any(changes);
    let calls = turn.calls.iter().filter(|call| !acts || changes(call)).cloned().collect();
    ChatTurn { text: turn.text.clone(), calls }
}

fn hold(name: &str, text: &str, shows: bool) -> Score {
    let mut conversation = Conversation { talk: Talk::new(), plane: Plane::default(), notices: 0 };
    let mut score = Score::default();
    for line in text.lines() {
        if let Some(event) = line.strip_prefix("! ") {
            conversation.event(event, name);
            continue;
        }
        let Some((said, expected)) = line.rsplit_once(" => ").filter(|_| !line.starts_with("# ")) else {
            continue;
        };
        let said = conversation.named(said);
        let expected = conversation.named(expected);
        let turn = conversation.say(&said, name);
        let alternatives: Vec<Alternative<'_>> = expected.split(" || ").map(Alternative::read).collect();
        let judged = |turn: &ChatTurn| {
            alternatives.iter().any(|one| {
                one.told(&turn.text) && Verdict::among(&[Answer::read(one.calls, line)], turn).arguments
            })
        };
        let answers: Vec<Answer> = alternatives.iter().map(|one| Answer::read(one.calls, line)).collect();
        let right = judged(&turn) || judged(&to_the_point(&turn));
        let wrong = Verdict::among(&answers, &turn).wrong_change;
        score.said += 1;
        score.right += usize::from(right);
        score.wrong_changes += usize::from(wrong);
        if !right || wrong {
            if shows {
                let calls: Vec<String> =
                    turn.calls.iter().map(|call| format!("{} {}", call.tool, call.arguments)).collect();
                let alarm = if wrong { "WRONG CHANGE " } else { "" };
                println!("{alarm}[{name}] {said:?} → {} {:?}", calls.join(" ; "), turn.text);
            } else if wrong {
                let tools: Vec<&str> = turn.calls.iter().map(|call| call.tool.as_str()).collect();
                println!("wrong change in {name} through {}", tools.join(" "));
            }
        }
        let made = |expected: &str| {
            let (tool, _) = expected.split_once(' ').unwrap_or((expected, ""));
            turn.calls.iter().any(|call| call.tool == tool)
        };
        if !right || wrong || !alternatives[0].calls.split(" ; ").all(made) {
            for call in alternatives[0].calls.split(" ; ").filter(|call| call.starts_with("gf_")) {
                conversation.repair(call, name);
            }
        }
    }
    score
}

/// One right answer: what is called, what must be told and what must not.
struct Alternative<'a> {
    calls: &'a str,
    told: Vec<&'a str>,
    untold: Vec<&'a str>,
}

impl<'a> Alternative<'a> {
    fn read(text: &'a str) -> Self {
        let (mut told, mut untold) = (Vec::new(), Vec::new());
        let mut rest = text.trim();
        while let Some(at) = rest.rfind(" >> ").max(rest.rfind(" >< ")) {
            let list = if rest[at..].starts_with(" >>") { &mut told } else { &mut untold };
            list.push(rest[at + 4..].trim());
            rest = rest[..at].trim();
        }
        Self { calls: rest, told, untold }
    }

    fn told(&self, text: &str) -> bool {
        self.told.iter().all(|word| text.contains(word))
            && !self.untold.iter().any(|word| text.contains(word))
    }
}

#[test]
fn the_six_acts_are_held_with_anybody() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/voices/conversations");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    let mut totals = [Score::default(), Score::default()];
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let held_out = text.lines().next().is_some_and(|first| first.contains("held out"));
        let name = path.file_stem().unwrap().to_string_lossy();
        let score = hold(&name, &text, !held_out);
        println!(
            "{name:<16} {:>2} of {:>2} right, wrong changes {}",
            score.right, score.said, score.wrong_changes
        );
        let total = &mut totals[usize::from(held_out)];
        total.said += score.said;
        total.right += score.right;
        total.wrong_changes += score.wrong_changes;
    }
    for (name, total, floor) in [("tuned", &totals[0], TUNED), ("held out", &totals[1], HELD_OUT)] {
        println!("{name}: {} of {} right, wrong changes {}", total.right, total.said, total.wrong_changes);
        assert_eq!(total.wrong_changes, 0, "changes that nobody ordered ({name})");
        assert!(total.right * 100 >= floor * total.said, "{name}: {} of {}", total.right, total.said);
    }
}
