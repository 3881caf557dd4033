//! What a sentence is expected to lead to, and whether it did.

use crate::support::more::named_list;
use claw_brain::{Call, ChatTurn};
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// Words of the operator's own that no test can foresee.
const FREE: [&str; 3] = ["reason", "description", "purpose"];

pub struct Case {
    pub intent: String,
    pub history: String,
    pub say: String,
    pub untouched: bool,
    /// Any of these is right.
    answers: Vec<Answer>,
}

pub enum Answer {
    Calls(Vec<(String, Map<String, Value>)>),
    Ask,
    Decline,
    /// Words that are no question.
    Talk,
    /// Reading or asking, as long as nothing changes.
    Look,
}

pub struct Verdict {
    pub tools: bool,
    pub arguments: bool,
    pub wrong_change: bool,
}

pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/voices");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    paths.iter().flat_map(|path| read(&fs::read_to_string(path).unwrap())).collect()
}

fn read(text: &str) -> Vec<Case> {
    let (mut intent, mut history) = (String::new(), String::new());
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            intent = name.to_owned();
        } else if let Some(name) = line.strip_prefix('~') {
            history = name.trim().to_owned();
        } else if let Some((say, expected)) = line.rsplit_once(" => ").filter(|_| !line.starts_with("# ")) {
            let answers = expected.split(" || ").map(|answer| Answer::read(answer, line)).collect();
            let untouched = !intent.starts_with("tuned ") && hash(&format!("{history}|{say}")) % 2 == 1;
            found.push(Case {
                intent: intent.clone(),
                history: history.clone(),
                say: say.to_owned(),
                untouched,
                answers,
            });
        }
    }
    found
}

/// FNV-1a, folded: which half a sentence is in depends on nothing but its text and what went before.
fn hash(text: &str) -> u64 {
    let folded = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    folded >> 17 ^ folded >> 41
}

impl Answer {
    pub fn read(text: &str, line: &str) -> Self {
        match text.trim() {
            "ask" => Self::Ask,
            "decline" => Self::Decline,
            "talk" => Self::Talk,
            "look" => Self::Look,
            calls => Self::Calls(
                calls
                    .split(" ; ")
                    .map(|call| {
                        let (tool, arguments) =
                            call.trim().split_once(' ').unwrap_or_else(|| panic!("no arguments: {line}"));
                        assert!(gf_tools::tool(tool).is_some(), "no such tool: {line}");
                        (
                            tool.to_owned(),
                            serde_json::from_str(arguments).unwrap_or_else(|e| panic!("{e}: {line}")),
                        )
                    })
                    .collect(),
            ),
        }
    }

    fn tools(&self, turn: &ChatTurn) -> bool {
        let words_only = turn.calls.is_empty();
        match self {
            Self::Calls(calls) => turn
                .calls
                .iter()
                .map(|call| call.tool.as_str())
                .eq(calls.iter().map(|(tool, _)| tool.as_str())),
            Self::Ask => words_only && asks(&turn.text),
            Self::Decline => words_only && declines(&turn.text),
            Self::Talk => words_only && !declines(&turn.text),
            Self::Look => !turn.calls.iter().any(changes),
        }
    }

    fn arguments(&self, turn: &ChatTurn) -> bool {
        match self {
            Self::Calls(calls) => {
                self.tools(turn) && turn.calls.iter().zip(calls).all(|(call, (_, wanted))| same(call, wanted))
            }
            _ => self.tools(turn),
        }
    }
}

impl Verdict {
    pub fn of(case: &Case, turn: &ChatTurn) -> Self {
        Self::among(&case.answers, turn)
    }

    pub fn among(answers: &[Answer], turn: &ChatTurn) -> Self {
        let meant = |call: &Call| {
            answers.iter().any(|answer| {
            matches!(answer, Answer::Calls(calls) if calls.iter().any(|(tool, wanted)| *tool == call.tool && same(call, wanted)))
        })
        };
        Self {
            tools: answers.iter().any(|answer| answer.tools(turn)),
            arguments: answers.iter().any(|answer| answer.arguments(turn)),
            wrong_change: turn.calls.iter().any(|call| changes(call) && !meant(call)),
        }
    }
}

fn asks(text: &str) -> bool {
    text.contains('?') || text.to_lowercase().contains("please")
}

fn declines(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("i can't") || text.contains("i did not understand") || text.contains("i don't")
}

pub fn changes(call: &Call) -> bool {
    gf_tools::tool(&call.tool).is_none_or(|tool| !tool.only_reads(&call.arguments))
}

/// Every wanted argument is there, and no other but free words. `key?` may be left out; `*` is anything.
fn same(call: &Call, wanted: &Map<String, Value>) -> bool {
    let Some(given) = call.arguments.as_object() else { return false };
    let any_key = wanted.contains_key("*");
    let there =
        wanted.iter().filter(|(key, _)| *key != "*").all(|(key, value)| match key.strip_suffix('?') {
            Some(key) => given.get(key).is_none_or(|given| fits(given, value)),
            None => given.get(key).is_some_and(|given| fits(given, value)),
        });
    there
        && given.keys().all(|key| {
            any_key
                || wanted.contains_key(key)
                || wanted.contains_key(&format!("{key}?"))
                || FREE.contains(&key.as_str())
        })
}

fn fits(given: &Value, wanted: &Value) -> bool {
    match (given, wanted) {
        (_, Value::String(any)) if any == "*" => !given.is_null() && *given != json!(""),
        (_, Value::String(name)) if name.starts_with('@') => {
            named_list(name).is_some_and(|list| *given == json!(list))
        }
        (Value::String(given), Value::String(wanted)) => {
            wanted.split('|').any(|wanted| place(given) == place(wanted))
        }
        (Value::Number(given), Value::Number(wanted)) => given.as_f64() == wanted.as_f64(),
        (Value::Array(given), Value::Array(wanted)) => {
            given.len() == wanted.len() && given.iter().zip(wanted).all(|(a, b)| fits(a, b))
        }
        (Value::Object(given), Value::Object(wanted)) => {
            given.len() == wanted.len()
                && wanted.iter().all(|(key, value)| given.get(key).is_some_and(|given| fits(given, value)))
        }
        _ => given == wanted,
    }
}

/// A region may be called by its city.
fn place(text: &str) -> &str {
    match text {
        "nbg1" => "nuremberg",
        "fsn1" => "falkenstein",
        "hel1" => "helsinki",
        "fra" | "fra1" => "frankfurt",
        "europe" => "eu",
        other => other,
    }
}
