//! The operator's sentences: which tools they lead to, with which arguments.
//!
//! Half of the sentences are held out: nobody tunes the grammar on them, and their score is reported as it is.

use crate::support::{history, idle, oversized};
use claw_brain::{Call, ChatTurn};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Bars for the sentences that may be tuned on, and the floors that the others really reach; in percent.
const TUNED: Bars = Bars { tools: 97, arguments: 95 };
const HELD_OUT: Bars = Bars { tools: 93, arguments: 92 };
/// Sentences of `unseen.toml`, written after the grammar.
const UNSEEN: Bars = Bars { tools: 84, arguments: 81 };

struct Bars {
    tools: usize,
    arguments: usize,
}

#[derive(Deserialize)]
struct File {
    intent: String,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    say: String,
    #[serde(default)]
    held_out: bool,
    #[serde(default)]
    history: String,
    /// act (default where calls are given), ask, decline or chat.
    #[serde(default)]
    expect: String,
    #[serde(default)]
    calls: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    tool: String,
    args: Value,
}

#[derive(Default)]
struct Score {
    all: usize,
    tools: usize,
    arguments: usize,
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sentences");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{path:?}: {e}"))
        })
        .collect()
}

/// Words of the operator's own that no test can foresee, and what an incident is filed under.
const FREE: [&str; 4] = ["reason", "description", "purpose", "subjects"];

fn fixture(value: &Value) -> Value {
    match value.as_str() {
        Some("@idle") => json!(idle()),
        Some("@oversized") => json!(oversized()),
        _ => value.clone(),
    }
}

fn same_arguments(call: &Call, expected: &Expected) -> bool {
    let (Some(given), Some(wanted)) = (call.arguments.as_object(), expected.args.as_object()) else {
        return false;
    };
    let wanted_there = wanted.iter().all(|(key, value)| given.get(key) == Some(&fixture(value)));
    wanted_there && given.keys().all(|key| wanted.contains_key(key) || FREE.contains(&key.as_str()))
}

fn right_tools(case: &Case, turn: &ChatTurn) -> bool {
    let called: Vec<&str> = turn.calls.iter().map(|call| call.tool.as_str()).collect();
    let wanted: Vec<&str> = case.calls.iter().map(|call| call.tool.as_str()).collect();
    called == wanted
        && (!wanted.is_empty()
            || kind_of(turn) == case.expect
            || (case.expect == "chat" && kind_of(turn) != "ask"))
}

/// Whether a text asks back, or says that it can't.
fn kind_of(turn: &ChatTurn) -> &'static str {
    let text = turn.text.to_lowercase();
    match () {
        () if text.contains("i can't") || text.contains("i did not understand") => "decline",
        () if text.contains('?') || text.contains("please") => "ask",
        () => "chat",
    }
}

fn changes_something(call: &Call) -> bool {
    gf_tools::tool(&call.tool).is_none_or(|tool| !tool.only_reads(&call.arguments))
}

/// A call that changes something and was not expected with just these arguments.
fn wrong_change(case: &Case, turn: &ChatTurn) -> Option<Call> {
    let expected = |call: &Call| {
        case.calls.iter().any(|wanted| wanted.tool == call.tool && same_arguments(call, wanted))
    };
    turn.calls.iter().find(|call| changes_something(call) && !expected(call)).cloned()
}

#[test]
fn operators_are_understood() {
    let mut scores: BTreeMap<(bool, String), Score> = BTreeMap::new();
    let mut misses = Vec::new();
    let mut wrong_changes = Vec::new();
    for file in files() {
        for case in &file.case {
            let turn = history(&case.history).say(&case.say).turn();
            let tools = right_tools(case, &turn);
            let arguments = tools
                && turn.calls.iter().zip(&case.calls).all(|(call, wanted)| same_arguments(call, wanted));
            let score = scores.entry((case.held_out, file.intent.clone())).or_default();
            score.all += 1;
            score.tools += usize::from(tools);
            score.arguments += usize::from(arguments);
            if !arguments {
                let half = if case.held_out { "held out" } else { "tuned" };
                misses.push(format!("[{half}] {:?} → {:?}", case.say, turn));
            }
            if let Some(call) = wrong_change(case, &turn) {
                wrong_changes.push(format!("{:?} → {call:?}", case.say));
            }
        }
    }
    let mut summary = String::new();
    let mut totals = [Score::default(), Score::default()];
    for ((held_out, intent), score) in &scores {
        let half = if *held_out { "held out" } else { "tuned" };
        summary.push_str(&format!(
            "{half:>8} {intent:<22} {:>3} sentences, tools {:>3}, arguments {:>3}\n",
            score.all, score.tools, score.arguments
        ));
        let total = &mut totals[usize::from(*held_out)];
        total.all += score.all;
        total.tools += score.tools;
        total.arguments += score.arguments;
    }
    // Misses of the held-out half are counted, not shown, so that nobody comes to tune on them.
    let show_all = std::env::var_os("CLAW_BRAIN_SHOW_HELD_OUT").is_some();
    misses.retain(|miss| show_all || miss.starts_with("[tuned]"));
    println!("{summary}{}", misses.join("\n"));
    let unseen = &scores[&(true, "unseen".to_owned())];
    for (total, bars, half) in
        [(&totals[0], TUNED, "tuned"), (&totals[1], HELD_OUT, "held out"), (unseen, UNSEEN, "unseen")]
    {
        let percent = |n: usize| n * 100 / total.all;
        println!(
            "{half}: {} sentences, tools {}%, arguments {}%",
            total.all,
            percent(total.tools),
            percent(total.arguments)
        );
        assert!(
            percent(total.tools) >= bars.tools,
            "{half}: tools {}% of {}",
            percent(total.tools),
            total.all
        );
        assert!(
            percent(total.arguments) >= bars.arguments,
            "{half}: arguments {}%",
            percent(total.arguments)
        );
    }
    assert!(wrong_changes.is_empty(), "wrong changes:\n{}", wrong_changes.join("\n"));
}

#[test]
fn there_are_enough_sentences_for_every_tool_in_both_halves() {
    let files = files();
    let cases: Vec<&Case> = files.iter().flat_map(|file| &file.case).collect();
    assert!(cases.len() >= 160, "{}", cases.len());
    assert!(cases.iter().filter(|case| case.held_out).count() >= 160);
    for tool in gf_tools::TOOLS {
        for held_out in [false, true] {
            let used = cases.iter().any(|case| {
                case.held_out == held_out && case.calls.iter().any(|call| call.tool == tool.name)
            });
            assert!(used, "{} has no sentence (held out: {held_out})", tool.name);
        }
    }
}
