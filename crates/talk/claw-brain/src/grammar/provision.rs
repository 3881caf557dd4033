//! New accounts: how many, which tier, where, what for.

use super::Scene;
use crate::{
    language::{Clause, Kind, Mood, Sense},
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    if clause.negated || clause.is_question() || !wanted(clause) {
        return None;
    }
    let mut arguments = json!({});
    if slots.accounts.is_empty() {
        match count(clause) {
            Some(count) if count > 0 => arguments["count"] = json!(count),
            Some(_) => {
                return Some(vec![Step::ask(
                    "That is not a number of accounts I can provision; at least one is needed. How many shall it be?",
                )]);
            }
            None => return Some(vec![Step::ask("How many accounts shall I provision?")]),
        }
    } else {
        arguments["accountIds"] = json!(slots.accounts);
    }
    match slots.tiers.as_slice() {
        [tier] => arguments["tier"] = json!(tier),
        [] => return Some(vec![ask_tier(clause)]),
        _ => {
            return Some(vec![Step::ask("You named several tiers. How many accounts of which tier?")]);
        }
    }
    let mut regions = slots.regions.clone();
    regions.extend(unknown_place(clause, &["in"]));
    put(&mut arguments, "regions", (!regions.is_empty()).then_some(regions));
    let unknown = unknown_place(clause, &["on", "at"]);
    let unplaced: Vec<&str> =
        slots.providers.iter().filter(|p| p.role.is_none()).map(|p| p.provider.as_str()).collect();
    let mut unplaced = unplaced.into_iter().chain(unknown.as_deref());
    let same_twice = slots.provider().filter(|_| clause.has(Sense::Both) && slots.providers.len() == 1);
    let primary = slots.provider_as(Sense::Primary).or_else(|| unplaced.next());
    let standby = same_twice.or(slots.provider_as(Sense::Standby)).or_else(|| unplaced.next());
    put(&mut arguments, "primaryProvider", primary);
    put(&mut arguments, "standbyProvider", standby);
    put(&mut arguments, "purpose", purpose(clause));
    Some(vec![Step::call("gf_provision", arguments)])
}

/// "Provision …", or "I need three pro accounts"; not "give me the accounts".
fn wanted(clause: &Clause) -> bool {
    let things = clause.any(&[Sense::Account, Sense::Instance]) || !clause.slots.tiers.is_empty();
    let named = !clause.slots.accounts.is_empty();
    let other = clause.any(&[Sense::Incident, Sense::Alert, Sense::Cost, Sense::Audit, Sense::Report]);
    if other {
        return false;
    }
    let grows = grows(clause);
    let more = grows || clause.says_any(&["new", "more", "another"]) && count(clause).is_some();
    if clause.orders(Sense::Make) || grows {
        return more
            || things
            || named
            || clause.tokens.get(clause.head).is_some_and(|head| head.text == "provision");
    }
    let books = clause
        .tokens
        .get(clause.head)
        .is_some_and(|head| matches!(head.text.as_str(), "order" | "book" | "request"));
    let wanting = clause.head_is(Sense::Want)
        || books
        || clause.tokens.get(clause.head).is_some_and(|t| matches!(t.kind, Kind::Number(_)));
    let new = clause.says_any(&["new", "more", "another", "additional", "extra"]);
    // "2 standard accounts please" is as clear as an order; "3 accounts degraded" is none.
    let named_only = clause.mood == Mood::Statement
        && !clause.slots.tiers.is_empty()
        && clause.has(Sense::Account)
        && clause.slots.states.is_empty()
        && !clause.any(&[Sense::Trouble, Sense::Health, Sense::Cost, Sense::Progress])
        && !clause.explains();
    let wanting = wanting || (named_only && new);
    let polite = clause.mood == Mood::Order || named_only;
    polite
        && wanting
        && things
        && !named
        && (new || count(clause).is_some())
        && !clause.any(&[Sense::Restart, Sense::Failover, Sense::Health])
}

/// The number that counts accounts; the last one, since an answer may correct what was said first.
fn count(clause: &Clause) -> Option<i64> {
    let text = |at: usize| clause.tokens.get(at).map_or("", |token| token.text.as_str());
    let counted = clause.slots.numbers.iter().rev().find(|(_, at)| {
        let at_a_time = text(at + 1) == "at" && text(at + 2) == "a";
        let unit = matches!(text(at + 1), "minute" | "minutes" | "hour" | "hours" | "day" | "days" | "%");
        !at_a_time && !unit
    });
    let count = counted.map(|(count, at)| match (text(at + 1), at.checked_sub(1).map_or("", text)) {
        (_, "minus" | "negative") => -*count,
        ("dozen", _) => count.saturating_mul(12),
        _ => *count,
    });
    count.or_else(|| {
        let single = clause.tokens.windows(2).any(|pair| {
            let article = matches!(pair[0].text.as_str(), "a" | "an" | "another");
            let tier = crate::language::slots::TIERS.contains(&pair[1].text.as_str());
            article
                && (tier
                    || pair[1].is(Sense::Account)
                    || matches!(pair[1].text.as_str(), "new" | "single" | "fresh"))
        });
        let plural = clause.tokens.iter().any(|t| t.is(Sense::Account) && t.raw.ends_with('s'));
        // "A pair of standard accounts" may be one pair or two accounts.
        (single && !plural && !clause.phrase("pair of")).then_some(1)
    })
}

/// "Scale up by 10 standard accounts".
pub fn grows(clause: &Clause) -> bool {
    let growing = clause.tokens.get(clause.head).is_some_and(|head| {
        matches!(head.text.as_str(), "increase" | "expand" | "grow")
            || (head.is(Sense::Resize) && !head.text.contains("down"))
    });
    growing
        && !clause.negated
        && !clause.is_question()
        && clause.says("by")
        && clause.slots.accounts.is_empty()
        && clause.has(Sense::Account)
        && count(clause).is_some()
}

/// A place that we don't know; the control plane does, or says what would be right.
fn unknown_place(clause: &Clause, prepositions: &[&str]) -> Option<String> {
    const NO_PLACES: [&str; 16] = [
        "the", "a", "an", "total", "once", "least", "most", "all", "behalf", "time", "parallel", "advance",
        "addition", "my", "our", "top",
    ];
    let before_purpose = clause.tokens.iter().take_while(|token| token.text != "for").collect::<Vec<_>>();
    before_purpose.windows(2).find_map(|pair| {
        let place = &pair[1];
        let plain =
            place.kind == Kind::Word && place.senses.is_empty() && !NO_PLACES.contains(&place.text.as_str());
        let known = clause.slots.regions.contains(&place.text)
            || clause.slots.tiers.iter().any(|tier| place.text.starts_with(tier.as_str()))
            || clause.slots.providers.iter().any(|placed| {
                placed.provider == place.raw.to_lowercase()
                    || place.text == placed.provider
                    || place.raw == "DO"
            });
        (prepositions.contains(&pair[0].text.as_str()) && plain && !known).then(|| place.text.clone())
    })
}

/// Names the word that stood where a tier belongs, so that the person sees what was not understood.
fn ask_tier(clause: &Clause) -> Step {
    let odd = clause.tokens.windows(2).find_map(|pair| {
        let stands_for_tier = pair[1].is(Sense::Account) || pair[1].is(Sense::Tier);
        let plain = pair[0].kind == Kind::Word && pair[0].senses.is_empty();
        let usual = [
            "new",
            "more",
            "a",
            "an",
            "the",
            "some",
            "few",
            "additional",
            "extra",
            "other",
            "another",
            "of",
            "fresh",
            "for",
        ];
        (stands_for_tier && plain && !usual.contains(&pair[0].text.as_str())).then(|| pair[0].raw.clone())
    });
    let odd = odd.map(|odd| format!("\"{odd}\" is not a tier. ")).unwrap_or_default();
    Step::ask(format!("{odd}Which tier shall the new accounts have: nano, standard, pro or enterprise?"))
}

/// What follows "for", up to the next comma.
fn purpose(clause: &Clause) -> Option<String> {
    let at = clause.tokens.iter().position(|token| token.text == "for")?;
    let rest = clause.tokens[at + 1..]
        .iter()
        .take_while(|t| !t.is_break() && !matches!(t.text.as_str(), "on" | "with" | "in" | "at" | "using"));
    let words: Vec<&str> = rest.map(|token| token.raw.as_str()).collect();
    let words = words.strip_prefix(&["the"]).unwrap_or(&words);
    let says_nothing = matches!(words.first().copied(), None | Some("me" | "us" | "now" | "today" | "it"));
    (!says_nothing).then(|| words.join(" "))
}
