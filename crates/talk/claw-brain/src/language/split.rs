//! Where one request ends and the next begins within a sentence.

use super::{
    Sense,
    clause::{ASKING, VERBS},
    opening::FILLERS,
    slots::TIERS,
    token::{Kind, Token},
};

/// Topics that are a request by their mere name, after a question or a report.
const TOPICS: &[Sense] = &[
    Sense::Fleet,
    Sense::Cost,
    Sense::Provider,
    Sense::Incident,
    Sense::Audit,
    Sense::Briefing,
    Sense::Alert,
];

/// Whether this token may stand between two requests.
pub fn joins(token: &Token) -> bool {
    matches!(token.kind, Kind::Break(','))
        || matches!(token.text.as_str(), "and" | "then" | "but" | "plus" | "so")
}

/// Whether what follows the joint is a request of its own.
pub fn begins_request(before: &[Token], rest: &[Token]) -> bool {
    if before.iter().all(|token| token.is_break() || FILLERS.contains(&token.text.as_str())) {
        return false;
    }
    let mut rest = rest.iter().skip_while(|token| token.is_break() || FILLERS.contains(&token.text.as_str()));
    let Some(first) = rest.next() else {
        return false;
    };
    let second = rest.next();
    let next = second.map_or("", |token| token.text.as_str());
    let verb = !first.past && VERBS.iter().any(|verb| first.is(*verb));
    let for_me = matches!(next, "me" | "us") && (first.is(Sense::Want) || first.is(Sense::Briefing));
    let negative = (first.text == "do" && next == "not") || first.text == "never";
    let asking = ASKING.contains(&first.text.as_str());
    let polite = matches!(first.text.as_str(), "i" | "we") && matches!(next, "want" | "need" | "would");
    // "… and {json} onto acct-0042": JSON with the word to whom.
    let addressed = matches!(first.kind, Kind::Json(_)) && matches!(next, "to" | "on" | "onto" | "for");
    let addressed = addressed && !before.iter().any(|token| token.is(Sense::Push));
    let optimizing = first.text.starts_with("optimi");
    verb || addressed
        || for_me
        || negative
        || asking
        || polite
        || optimizing
        || begins_topic(before, first, second)
}

/// "Fleet status, cost report and provider health": each is asked for by its name.
fn begins_topic(before: &[Token], first: &Token, second: Option<&Token>) -> bool {
    const REPORTING: &[Sense] = &[Sense::Show, Sense::Check, Sense::Report, Sense::Health];
    const ACTING: &[Sense] = &[Sense::Silence, Sense::Make, Sense::Send, Sense::Schedule];
    let named = second.filter(|_| matches!(first.text.as_str(), "the" | "a")).unwrap_or(first);
    let said = |senses: &[&[Sense]]| {
        before.iter().any(|token| senses.iter().copied().flatten().any(|sense| token.is(*sense)))
    };
    TOPICS.iter().any(|topic| named.is(*topic)) && said(&[TOPICS, REPORTING]) && !said(&[ACTING])
}

/// "2 standard and 3 pro accounts": the second part repeats the verb of the first, which is returned.
pub fn repeated_verb(before: &[Token], rest: &[Token]) -> Option<Vec<Token>> {
    let verb = before.iter().position(|token| token.is(Sense::Make) || token.is(Sense::Want))?;
    let is_tier = |token: &Token| TIERS.contains(&token.text.split('-').next().unwrap_or_default());
    let mut rest = rest.iter().filter(|token| !token.is_break() && token.text != "and");
    let counted = matches!(rest.next()?.kind, Kind::Number(_));
    let tiered = rest.take(2).any(is_tier);
    (counted && tiered && before.iter().any(is_tier)).then(|| before[..=verb].to_vec())
}
