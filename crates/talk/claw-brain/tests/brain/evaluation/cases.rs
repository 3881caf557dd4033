//! The evaluation's sentences and what was said before each of them, read from `tests/evaluation`.
//!
//! It must never show a sentence of the half that nobody tunes on; it only says which half each belongs to.

use crate::support::Talk;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Another file of the same form, of which only totals are printed; a `histories.md` may stand beside it.
pub const OTHER_FILE: &str = "CLAW_BRAIN_EVALUATION";

/// What may be known of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The language is mended by looking at these.
    Tuned,
    /// Every fourth: nobody reads them, only their totals.
    Check,
    /// Of a file from outside.
    Other,
}

#[derive(Deserialize)]
struct File {
    case: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    say: String,
    #[serde(default)]
    history: String,
    #[serde(default)]
    any: Vec<Reading>,
    #[serde(flatten)]
    first: Reading,
}

/// One right way to take a sentence.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Reading {
    /// ask, chat or decline, where no calls are given.
    #[serde(default)]
    pub expect: String,
    #[serde(default)]
    pub calls: Vec<Wanted>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Wanted {
    pub tool: String,
    pub args: Value,
}

pub struct Case {
    pub part: Part,
    pub say: String,
    pub history: String,
    /// Any of these is right; the first is what it is counted under.
    pub readings: Vec<Reading>,
}

impl Case {
    /// The tool that it is about, `mixed`, or what else is expected.
    pub fn intent(&self) -> &str {
        let first = &self.readings[0];
        match first.calls.as_slice() {
            [] => &first.expect,
            [one, rest @ ..] if rest.iter().all(|call| call.tool == one.tool) => &one.tool,
            _ => "mixed",
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluation")
}

fn other_file() -> Option<PathBuf> {
    std::env::var_os(OTHER_FILE).map(PathBuf::from)
}

pub fn cases() -> Vec<Case> {
    let tuned = read(&folder().join("tuned.toml"))
        .into_iter()
        .enumerate()
        .map(|(at, written)| case(written, if at % 4 == 3 { Part::Check } else { Part::Tuned }));
    let other = other_file().map(|path| read(&path)).unwrap_or_default();
    tuned.chain(other.into_iter().map(|written| case(written, Part::Other))).collect()
}

fn read(path: &Path) -> Vec<Written> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{path:?}: {}", e.message())).case
}

fn case(written: Written, part: Part) -> Case {
    let readings: Vec<Reading> = std::iter::once(written.first).chain(written.any).collect();
    for call in readings.iter().flat_map(|reading| &reading.calls) {
        assert!(gf_tools::tool(&call.tool).is_some(), "no such tool: {}", call.tool);
    }
    Case { part, say: written.say, history: written.history, readings }
}

/// Conversations by name, as they stand in `histories.md`.
pub fn histories() -> BTreeMap<String, Talk> {
    let beside = other_file().map(|path| path.with_file_name("histories.md")).filter(|path| path.exists());
    let mut found = BTreeMap::new();
    for path in std::iter::once(folder().join("histories.md")).chain(beside) {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        for section in text.split("\n### ").skip(1) {
            let (name, body) = section.split_once('\n').unwrap();
            found.insert(name.trim().to_owned(), talk(name, body));
        }
    }
    found
}

fn talk(name: &str, body: &str) -> Talk {
    let mut talk = Talk::new();
    let mut open: Option<(String, Value)> = None;
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
    for line in body.lines() {
        let Some((who, what)) = line.split_once(": ") else { continue };
        talk = match who {
            "operator" => talk.say(&what.replace("\\n", "\n")),
            "assistant" => talk.answered(&what.replace("\\n", "\n")),
            "call" => {
                let (tool, arguments) = what.split_once(' ').unwrap();
                open = Some((tool.to_owned(), json(arguments)));
                talk
            }
            "result" => {
                let (tool, arguments) = open.take().unwrap_or_else(|| panic!("{name}: a result of no call"));
                talk.used(&tool, arguments, json(what))
            }
            _ => talk,
        };
    }
    talk
}
