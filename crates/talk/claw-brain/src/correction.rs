//! "Tear down the first, no, the second": a message that takes back in its middle what it began with.
//!
//! It only says that there is such a place and what follows it; which of the two was meant is never guessed for a change.

use crate::language::{Kind, Sense, Slots, Token, clause::VERBS, token::tokens};

/// What was said in place of something before, in the same message; `None` where nothing was taken back.
pub fn of(text: &str) -> Option<String> {
    let all = tokens(text);
    (1..all.len()).find_map(|at| {
        let (marker, hard) = marker(&all, at)?;
        let (before, after) = (&all[..at], &all[at + marker..]);
        let named = |tokens: &[Token]| {
            let topic = |token: &Token| WHOLE.iter().chain(TOPICS).any(|sense| token.is(*sense));
            !Slots::read(tokens).is_empty() || tokens.iter().any(topic)
        };
        let acts = |tokens: &[Token]| {
            tokens.iter().any(|token| !token.past && VERBS.iter().any(|verb| token.is(*verb)))
        };
        let replaces = if hard { named(after) || acts(after) } else { same_kind(before, after) };
        let counts = named(before) || acts(before);
        (counts && replaces)
            .then(|| after.iter().map(|token| token.raw.as_str()).collect::<Vec<_>>().join(" "))
    })
}

/// What may stand in place of something else without being named.
const TOPICS: &[Sense] = &[
    Sense::Audit,
    Sense::Cost,
    Sense::Report,
    Sense::Config,
    Sense::Account,
    Sense::Instance,
    Sense::Standby,
];
const WHOLE: [Sense; 3] = [Sense::All, Sense::Fleet, Sense::Both];

/// How many tokens take something back here, and whether they can mean nothing else.
fn marker(all: &[Token], at: usize) -> Option<(usize, bool)> {
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let comma = |at: usize| all.get(at).is_some_and(|token| matches!(token.kind, Kind::Break(',' | ':')));
    let pause = |at: usize| all.get(at).is_some_and(Token::is_break);
    match (text(at), text(at + 1)) {
        ("no" | "nope", "wait" | "sorry") => Some((2, true)),
        ("no" | "nope" | "sorry" | "correction", _) if comma(at + 1) => Some((2, true)),
        ("i", "mean" | "meant") => Some((2, true)),
        ("scratch that", _) => Some((1, true)),
        ("scrap" | "strike" | "scratch" | "forget", "that") => Some((2, true)),
        ("make", "it" | "that") if pause(at - 1) => Some((2, false)),
        ("actually", "make") if pause(at - 1) => Some((3, false)),
        ("actually", _) if pause(at - 1) => Some((1, false)),
        _ => None,
    }
}

/// Whether both name a thing of one kind, so that the second stands for the first.
fn same_kind(before: &[Token], after: &[Token]) -> bool {
    let (a, b) = (Slots::read(before), Slots::read(after));
    let who = |slots: &Slots| {
        !(slots.accounts.is_empty() && slots.ordinals.is_empty() && slots.instances.is_empty())
    };
    let when = |slots: &Slots, tokens: &[Token]| {
        slots.clock.is_some() || tokens.iter().any(|token| matches!(token.kind, Kind::Number(_)))
    };
    let everybody = after.iter().any(|token| WHOLE.iter().any(|sense| token.is(*sense)));
    who(&a) && (who(&b) || everybody)
        || when(&a, before) && when(&b, after)
        || !a.tiers.is_empty() && !b.tiers.is_empty()
        || !a.providers.is_empty() && !b.providers.is_empty()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_is_taken_back_is_seen_and_what_only_goes_on_is_not() {
        let taken = [
            ("tear down the first, no, the second account", "the second account"),
            ("upgrade acct-0001 to pro. scrap that, enterprise", ", enterprise"),
            ("brief me at 7, make it 8", "8"),
            ("push it to acct-0001, actually make that everyone", "everyone"),
        ];
        for (said, after) in taken {
            assert_eq!(of(said).as_deref(), Some(after), "{said}");
        }
        for plain in [
            "no, 4",
            "restart i-7f3a, sorry, it hangs",
            "push it to everyone, make it rolling",
            "tear down acct-0001, no archive",
            "Actually I want the second account back",
        ] {
            assert_eq!(of(plain), None, "{plain}");
        }
    }
}
