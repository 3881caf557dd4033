//! "The first two", "only acct-0009", "all but the last", "not those in Contabo": some of a list that was shown or planned.
//!
//! A word that it does not understand makes no choice at all; the caller then asks.

use crate::language::{Clause, Kind, Sense, Slots, Token, number};

/// One thing of a list, with what it may be chosen by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    pub id: String,
    pub account: String,
    pub provider: String,
    pub region: String,
    pub role: String,
}

const WITHOUT: [&str; 14] = [
    "not",
    "without",
    "except",
    "excluding",
    "minus",
    "skip",
    "spare",
    "but",
    "besides",
    "drop",
    "keep",
    "remove",
    "take",
    "exclude",
];

/// "The second one", "the first and the last": places in a list of ids that was shown; `None` where one is not there or
/// the words count otherwise ("the first two").
pub fn nth(clause: &Clause, list: &[String]) -> Option<Vec<String>> {
    let counted = clause.slots.numbers.iter().any(|(_, at)| clause.tokens[*at].text != "one");
    let place = |ordinal: &i64| match *ordinal {
        -1 => list.last().cloned(),
        nth => usize::try_from(nth - 1).ok().and_then(|at| list.get(at).cloned()),
    };
    let found: Option<Vec<String>> = clause.slots.ordinals.iter().map(place).collect();
    found.filter(|found| !found.is_empty() && !counted)
}

/// Which of the list the clause chooses, in the list's order; `None` where it chooses nothing or too much.
pub fn of(clause: &Clause, list: &[Item]) -> Option<Vec<Item>> {
    let tokens = &clause.tokens;
    let from_head = |token: &Token| WITHOUT.contains(&token.text.as_str()) || token.is(Sense::Keep);
    let taken_out = tokens.iter().position(from_head).filter(|at| {
        tokens[*at].text != "keep"
            || !tokens.get(at + 1).is_some_and(|next| matches!(next.text.as_str(), "only" | "just"))
    });
    let (wanted, unwanted) = tokens.split_at(taken_out.unwrap_or(tokens.len()));
    let chosen = match part(wanted, list) {
        Part::Some(chosen) => chosen,
        Part::Everything if taken_out.is_some() || all(clause, list.len()) => list.to_vec(),
        _ => return None,
    };
    let kept: Vec<Item> = match (taken_out, part(unwanted, list)) {
        (None, _) => chosen,
        (Some(_), Part::Some(out)) => chosen.into_iter().filter(|item| !out.contains(item)).collect(),
        (Some(_), _) => return None,
    };
    (!kept.is_empty()).then_some(kept)
}

/// "All", "them", "all four": the whole list, of which a number that was said must be the size.
fn all(clause: &Clause, size: usize) -> bool {
    clause.any(&[Sense::All, Sense::Both, Sense::Pronoun])
        && clause.slots.numbers.iter().all(|(n, _)| *n == 1 || usize::try_from(*n) == Ok(size))
        && (!clause.has(Sense::Both) || size == 2)
}

enum Part {
    /// Nothing of it was named.
    Everything,
    Some(Vec<Item>),
    /// Named is what is not in the list.
    Unknown,
}

fn part(tokens: &[Token], list: &[Item]) -> Part {
    let slots = Slots::read(tokens);
    let mut found: Vec<Item> = Vec::new();
    let mut named = false;
    let mut add = |items: Vec<Item>| {
        named = true;
        let fresh = !items.is_empty();
        found.extend(items);
        fresh
    };
    let by =
        |fits: &dyn Fn(&Item) -> bool| list.iter().filter(|item| fits(item)).cloned().collect::<Vec<_>>();
    for id in slots.accounts.iter().chain(&slots.instances) {
        if !add(by(&|item| item.id == *id || item.account == *id)) {
            return Part::Unknown;
        }
    }
    for place in slots.providers.iter().map(|placed| &placed.provider).chain(&slots.regions) {
        if !add(by(&|item| item.provider == *place || item.region == *place)) {
            return Part::Unknown;
        }
    }
    for (sense, role) in [(Sense::Primary, "PRIMARY"), (Sense::Standby, "STANDBY")] {
        if tokens.iter().any(|token| token.is(sense)) && !add(by(&|item| item.role == role)) {
            return Part::Unknown;
        }
    }
    for (at, token) in tokens.iter().enumerate() {
        let count = tokens.get(at + 1).and_then(|next| match next.kind {
            Kind::Number(n) if next.text != "one" => usize::try_from(n).ok(),
            _ => None,
        });
        let items = match (token.text.as_str(), count, number::ordinal(&token.raw.to_lowercase())) {
            ("first" | "top", Some(n), _) if n <= list.len() => list[..n].to_vec(),
            ("last", Some(n), _) if n <= list.len() => list[list.len() - n..].to_vec(),
            ("first" | "top" | "last", Some(_), _) => return Part::Unknown,
            (_, _, Some(-1)) => list.last().cloned().into_iter().collect(),
            (_, _, Some(nth)) => {
                usize::try_from(nth - 1).ok().and_then(|at| list.get(at).cloned()).into_iter().collect()
            }
            _ => continue,
        };
        if !add(items) {
            return Part::Unknown;
        }
    }
    found.sort_by_key(|item| list.iter().position(|listed| listed == item));
    found.dedup();
    match named {
        true => Part::Some(found),
        false => Part::Everything,
    }
}
