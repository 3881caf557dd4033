//! The last look before anything is ordered: is every word of the clause accounted for by the calls it led to?
//!
//! A grammar picks out what it knows; this asks about what is left over. A name, a number or a place that was said and
//! is in no call, a "tomorrow", a "maybe", a word that nobody knows where words narrow down who is meant: each turns
//! the change into a question. It must never add to a call or let one through that a grammar did not ask for.

mod leftover;
mod when;
mod which;
mod words;

use crate::{
    chat::Call,
    language::{Clause, Kind, Slots, Token},
    step::Step,
};
use serde_json::Value;
use words::lists;

/// What to ask before these steps may change anything; `None` where all of the clause is in them.
pub fn doubt(clause: &Clause, steps: &[Step], care: Care) -> Option<Step> {
    let calls: Vec<&Call> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Do(call) => Some(call),
            _ => None,
        })
        .collect();
    let changing: Vec<&Call> = calls.iter().copied().filter(|call| changes(call)).collect();
    if changing.is_empty() {
        return None;
    }
    let said = before_why(&clause.tokens);
    let told = Told { said, slots: Slots::read(said), calls: &calls, changing: &changing };
    let first = told.doubting().or_else(|| told.later()).or_else(|| told.only_explained(clause));
    let whole = || {
        told.odd_number()
            .or_else(|| told.taken_back())
            .or_else(|| told.unwanted())
            .or_else(|| told.range())
            .or_else(|| told.others())
            .or_else(|| told.half())
            .or_else(|| told.place())
            .or_else(|| told.left_over())
            .or_else(|| told.unknown_word())
    };
    first.or_else(|| if care == Care::Whole { whole() } else { None }).map(Step::Ask)
}

/// How much of a clause its grammar answers for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Nothing: every name and number must be found in the calls.
    Whole,
    /// It chose from what was listed or planned before, so names may say what is *not* meant.
    Choice,
}

fn changes(call: &Call) -> bool {
    call.arguments["dryRun"] != Value::Bool(true)
        && gf_tools::tool(&call.tool).is_none_or(|tool| !tool.only_reads(&call.arguments))
}

fn before_why(tokens: &[Token]) -> &[Token] {
    let end = tokens.iter().enumerate().skip(2).position(|(at, token)| {
        let why = lists(words::WHY, &token.text) && !follows_set(tokens, at);
        why || (matches!(tokens[at - 1].kind, Kind::Break(',')) && lists(words::TELLING, &token.text))
    });
    &tokens[..end.map_or(tokens.len(), |end| end + 2)]
}

/// "Use vultr as standby": there "as" gives no reason.
fn follows_set(tokens: &[Token], at: usize) -> bool {
    tokens[at].text == "as"
        && tokens.get(at + 1).is_some_and(|next| {
            !matches!(
                next.text.as_str(),
                "it" | "they" | "he" | "she" | "we" | "i" | "the" | "there" | "that" | "this"
            )
        })
}

struct Told<'a> {
    said: &'a [Token],
    slots: Slots,
    calls: &'a [&'a Call],
    changing: &'a [&'a Call],
}

impl Told<'_> {
    fn says(&self, word: &str) -> bool {
        match word.contains(' ') {
            false => self.said.iter().any(|token| token.text == word && token.kind == Kind::Word),
            true => {
                let plain: Vec<&str> = self.said.iter().flat_map(|token| token.text.split(' ')).collect();
                let parts: Vec<&str> = word.split(' ').collect();
                plain.windows(parts.len()).any(|window| window == parts)
            }
        }
    }

    fn first_of(&self, list: &'static str) -> Option<&'static str> {
        list.split('|').find(|word| self.says(word))
    }

    fn all(&self, tools: &[&str]) -> bool {
        self.changing.iter().all(|call| tools.contains(&call.tool.as_str()))
    }

    /// Whether the operator's own words went into a call, as a title or a purpose.
    fn quoted(&self, word: &str) -> bool {
        const FREE: [&str; 6] = ["title", "entry", "rootCause", "purpose", "actions", "actor"];
        let lower = word.to_lowercase();
        self.calls.iter().any(|call| {
            FREE.iter().any(|key| call.arguments[*key].to_string().to_lowercase().contains(&lower))
        })
    }

    fn mirrored(&self, name: &str) -> bool {
        self.calls.iter().any(|call| holds(&call.arguments, name))
    }

    fn counted(&self, n: i64) -> bool {
        fn has(value: &Value, n: i64) -> bool {
            match value {
                Value::Number(number) => number.as_i64() == Some(n),
                Value::Array(items) => items.len() as i64 == n || items.iter().any(|item| has(item, n)),
                Value::Object(map) => map.values().any(|value| has(value, n)),
                _ => false,
            }
        }
        self.calls.len() as i64 == n
            || self.calls.iter().any(|call| {
                has(&call.arguments, n)
                    || call.arguments["count"]
                        .as_i64()
                        .is_some_and(|count| count % 12 == 0 && self.says("dozen"))
            })
    }

    /// Whether the targets were named one by one, so that no other word can widen them.
    fn names_targets(&self) -> bool {
        let slots = &self.slots;
        !(slots.accounts.is_empty() && slots.instances.is_empty() && slots.operations.is_empty())
            || self.all(&["gf_provision", "gf_schedule", "gf_incident_report", "gf_operation"])
    }
}

/// Whether a call takes whatever a description fits, or a list that nobody spelt out.
fn is_wide(call: &Call) -> bool {
    let arguments = &call.arguments;
    let described = arguments["filter"].is_object()
        || matches!(arguments["targets"], Value::String(_) | Value::Object(_));
    described
        || ["accountIds", "instanceIds"]
            .iter()
            .any(|key| arguments[*key].as_array().is_some_and(|ids| ids.len() > 2))
}

/// Whether a string somewhere in the arguments is this name, or a list holds it.
fn holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => {
            text.eq_ignore_ascii_case(name)
                || (name.len() >= 4 && text.to_lowercase().contains(&name.to_lowercase()))
        }
        Value::Array(items) => items.iter().any(|item| holds(item, name)),
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) || holds(value, name))
        }
        _ => false,
    }
}
