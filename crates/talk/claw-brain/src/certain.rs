//! The last look before anything is ordered: is every word of the clause accounted for by the calls it led to?
//!
//! A grammar picks out what it knows; this asks about what is left over. A name, a number or a place that was said and
//! is in no call, a "tomorrow", a "maybe", a word that nobody knows where words narrow down who is meant: each turns
//! the change into a question. It must never add to a call or let one through that a grammar did not ask for.

mod words;

use crate::{
    chat::Call,
    language::{Clause, Kind, Lexicon, Sense, Slots, Token},
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

    fn doubting(&self) -> Option<String> {
        let word = self.first_of(words::DOUBTING).filter(|word| !self.quoted(word))?;
        Some(format!("You said \"{word}\", so I did nothing yet. Please say plainly what I shall do."))
    }

    fn taken_back(&self) -> Option<String> {
        let exempt = self.all(&[
            "gf_provider_policy",
            "gf_alerts_silence",
            "gf_schedule",
            "gf_incident_report",
            "gf_provision",
        ]) || self.changing.iter().any(|call| call.arguments["archive"] == Value::Bool(false));
        let word = self.first_of(words::TAKING_BACK).filter(|_| !exempt)?;
        Some(format!(
            "I am not sure what \"{word}\" takes out of that, so I did nothing yet. Which do you mean, by id?"
        ))
    }

    fn later(&self) -> Option<String> {
        let timed = self.all(&["gf_schedule", "gf_alerts_silence", "gf_incident_report"]);
        let at_once = self.says("at once");
        let word = self
            .first_of(words::LATER)
            .filter(|word| !(timed || self.quoted(word) || at_once && *word == "once"));
        let clock = self.slots.clock.is_some() || self.slots.minutes.is_some();
        match word {
            Some(word) => Some(format!(
                "I can't do that at a later time (\"{word}\"); I only schedule reports. Shall I do it now? Then say it without the time."
            )),
            None if clock && !timed && !self.all(&["gf_provision", "gf_config_push"]) => {
                Some("I can't do that at a later time; I only schedule reports. Shall I do it now? Then say it without the time.".to_owned())
            }
            None => None,
        }
    }

    /// "acct-0001 to acct-0009", "10 to 20": the things between were not named.
    fn range(&self) -> Option<String> {
        let id =
            |token: &Token| matches!(token.kind, Kind::Account(_) | Kind::Instance(_) | Kind::Operation(_));
        let number = |token: &Token| matches!(token.kind, Kind::Number(_));
        let ranged = self.said.windows(3).any(|three| {
            let ends = id(&three[0]) && id(&three[2]) || number(&three[0]) && number(&three[2]);
            ends && matches!(three[1].text.as_str(), "to" | "through" | "till" | "until" | "-" | "thru")
        });
        ranged.then(|| "I take no ranges. Please name every one that you mean; I did nothing yet.".to_owned())
    }

    fn others(&self) -> Option<String> {
        let exempt = self.all(&["gf_provision", "gf_schedule", "gf_incident_report"]);
        let word = self.first_of(words::OTHERS).filter(|_| !exempt);
        let narrowed = self.all(&["gf_provider_policy"])
            && self.says("for")
            && self.said.iter().any(|token| token.is(Sense::Account))
            && !self.says("new");
        if narrowed {
            return Some("A provider is paused for all new instances, or for none. Shall I pause it for all? Then say it without the rest.".to_owned());
        }
        word.map(|word| {
            format!("I am not sure which \"{word}\" means, so I did nothing yet. Please name it by id.")
        })
    }

    /// "The primary of acct-0042" is half of what the account is.
    fn half(&self) -> Option<String> {
        let is = |sense| self.said.iter().any(|token| token.is(sense));
        let restarts = self.changing.iter().find(|call| call.tool == "gf_bulk_restart");
        let other_half = match restarts {
            Some(call) => {
                let filter = &call.arguments["filter"];
                filter.is_object() && filter["role"].is_null() && is(Sense::Primary) != is(Sense::Standby)
            }
            None => self.all(&["gf_teardown"]) && is(Sense::Primary),
        };
        other_half.then(|| {
            "Only the primary or only the standby? Please name the instance by its id; I did nothing yet."
                .to_owned()
        })
    }

    /// "There" is a place, which then must be in the call.
    fn place(&self) -> Option<String> {
        let there = self.said.iter().any(|token| token.is(Sense::Place));
        let placed = self.calls.iter().any(|call| {
            let filter = &call.arguments["filter"];
            !filter["provider"].is_null() || !filter["region"].is_null()
        });
        let wide = self.changing.iter().any(|call| is_wide(call));
        (there && wide && !placed).then(|| {
            "Where is \"there\"? Please name the provider or the region; I did nothing yet.".to_owned()
        })
    }

    /// An id that stands in the explanation only ("restart i-7f3a, it talks to i-0b0b") must not be acted upon.
    fn only_explained(&self, clause: &Clause) -> Option<String> {
        let before = [&self.slots.accounts, &self.slots.instances, &self.slots.operations];
        let all = [&clause.slots.accounts, &clause.slots.instances, &clause.slots.operations];
        let named = before.iter().any(|ids| !ids.is_empty());
        let after =
            all.iter().zip(before).flat_map(|(all, before)| all.iter().filter(|id| !before.contains(id)));
        let odd = after
            .into_iter()
            .find(|id| named && self.changing.iter().any(|call| holds(&call.arguments, id)))?;
        Some(format!(
            "I am not sure whether {odd} is meant too, so I did nothing yet. Please name exactly which."
        ))
    }

    /// Names and numbers that were said and are in none of the calls.
    fn left_over(&self) -> Option<String> {
        let slots = &self.slots;
        let by_id = self.names_targets();
        let incident = self.all(&["gf_incident_report", "gf_schedule"]);
        let resizes = self.all(&["gf_tier_resize"]) && self.says("from");
        let mut named: Vec<&str> = Vec::new();
        for ids in [
            &slots.accounts,
            &slots.instances,
            &slots.operations,
            &slots.archives,
            &slots.snapshots,
            &slots.codes,
        ] {
            named.extend(ids.iter().map(String::as_str));
        }
        if !by_id || self.all(&["gf_provision"]) {
            named.extend(slots.regions.iter().map(String::as_str));
            named.extend(slots.providers.iter().map(|placed| placed.provider.as_str()));
        }
        if !by_id {
            named.extend(slots.states.iter().map(String::as_str).filter(|state| *state != "ACTIVE"));
        }
        if !resizes {
            named.extend(slots.tiers.iter().map(String::as_str));
        }
        let odd = named.into_iter().find(|name| !incident && !self.mirrored(name) && !self.quoted(name));
        if let Some(odd) = odd {
            return Some(format!(
                "I am not sure what \"{odd}\" is to do with it, so I did nothing yet. Please say it in other words."
            ));
        }
        let number = slots
            .numbers
            .iter()
            .map(|(n, at)| (*n, at, &self.said[*at]))
            .find(|(n, at, token)| {
                !incident
                    && token.text != "one"
                    && !self.explained(**at)
                    && !self.counted(*n)
                    && !self.quoted(&token.raw)
            })
            .map(|(n, _, token)| (n, token));
        number.map(|(_, token)| {
            format!(
                "I am not sure what \"{}\" counts there, so I did nothing yet. Please say it in other words.",
                token.raw
            )
        })
    }

    /// A length of time, the size of what was listed ("the second of the two"), or a count that was corrected at once.
    fn explained(&self, at: usize) -> bool {
        let text =
            |at: Option<usize>| at.and_then(|at| self.said.get(at)).map_or("", |token| token.text.as_str());
        let time =
            matches!(text(Some(at + 1)).trim_end_matches('s'), "minute" | "hour" | "day" | "min" | "hr");
        let of_the = text(at.checked_sub(1)) == "the"
            && text(at.checked_sub(2)) == "of"
            && !self.slots.ordinals.is_empty();
        let corrected = ["actually", "rather", "instead", "mean", "no"].iter().any(|word| self.says(word));
        time || of_the || corrected
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

    /// "Two hunnert accounts": a word beside a number that may be part of it.
    fn odd_number(&self) -> Option<String> {
        let number = |token: &Token| matches!(token.kind, Kind::Number(_));
        let odd = |token: &Token| {
            token.kind == Kind::Word
                && token.senses.is_empty()
                && token.text.len() > 3
                && !Lexicon::get().is_english(&token.text)
                && !Slots::names(token)
        };
        let pair = self
            .said
            .windows(2)
            .find(|pair| number(&pair[0]) && odd(&pair[1]) || odd(&pair[0]) && number(&pair[1]))?;
        let word = if odd(&pair[0]) { &pair[0].raw } else { &pair[1].raw };
        self.all(&["gf_provision"]).then(|| format!("I am not sure what \"{word}\" counts there, so I did nothing yet. Please give the number in digits."))
    }

    /// A word that nobody knows, where it may say who is meant.
    fn unknown_word(&self) -> Option<String> {
        let lexicon = Lexicon::get();
        let wide = self.changing.iter().any(|call| is_wide(call)) && !self.names_targets();
        let odd = self.said.iter().find(|token| {
            let plain_word = token.kind == Kind::Word && token.senses.is_empty() && token.text.len() > 1;
            let known = lists(words::PLAIN, token.text.as_str())
                || lists(words::PLAIN, token.raw.to_lowercase().as_str())
                || Slots::names(token)
                || self.mirrored(&token.text)
                || self.mirrored(&token.raw)
                || self.quoted(&token.raw);
            plain_word && !known && (wide || near_a_limit(lexicon, &token.text))
        })?;
        Some(format!(
            "I am not sure what \"{}\" means there, so I did nothing yet. Please say it in other words.",
            odd.raw
        ))
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

/// A word that is no English and looks like one that would take something back.
fn near_a_limit(lexicon: &Lexicon, word: &str) -> bool {
    const LIMITS: [&str; 10] =
        ["not", "don't", "without", "except", "unless", "until", "never", "tomorrow", "standby", "only"];
    !lexicon.is_english(word)
        && word.len() >= 3
        && LIMITS.iter().any(|limit| crate::language::distance(word, limit) <= 1 + limit.len() / 6)
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
