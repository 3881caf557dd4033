//! How a request opens: fillers, courtesy and "do not", which stand before the word that counts.
//!
//! It says that somebody asks and where the request begins, never what is asked.

use super::{clause::begins_order, token::Token};

/// Words that say nothing about what is asked.
pub const FILLERS: &[&str] = &[
    "please",
    "then",
    "also",
    "and",
    "just",
    "ok",
    "okay",
    "hey",
    "so",
    "but",
    "well",
    "plus",
    "kindly",
    "now",
    "afterwards",
    "finally",
    "commander",
    "pls",
];
/// Openings of several words that make what follows a request, however long-winded.
const KINDLY: &[&str] = &[
    "would you be so good as to",
    "would you be so kind as to",
    "could you be so kind as to",
    "could you be so good as to",
    "be so kind as to",
    "be so good as to",
    "be kind enough to",
    "would you be kind enough to",
    "would you be able to",
    "are you able to",
    "could i trouble you to",
    "may i trouble you to",
    "might i trouble you to",
    "can i trouble you to",
    "could i ask you to",
    "may i ask you to",
    "might i ask you to",
    "can i ask you to",
    "i would ask you to",
    "i ask you to",
    "i must ask you to",
    "i am asking you to",
    "i would be grateful if you could",
    "i would be grateful if you would",
    "we would be grateful if you could",
    "we would be grateful if you would",
    "i would be glad if you could",
    "i would be glad if you would",
    "i would be obliged if you could",
    "i would be obliged if you would",
    "i would appreciate it if you could",
    "i would appreciate it if you would",
    "we would appreciate it if you could",
    "we would appreciate it if you would",
    "it would be great if you could",
    "it would be nice if you could",
    "it would be good if you could",
    "it would help if you could",
    "any chance you could",
    "any chance you can",
    "do me a favour and",
    "do me a favor and",
    "be a dear and",
    "make sure to",
    "be sure to",
    "feel free to",
    "i should like you to",
    "i should like to",
    "we should like to",
    "we should like you to",
    "would you happen to know",
    "do you happen to know",
    "would you know",
    "do you know",
    "can you tell me",
    "could you tell me",
    "would you tell me",
    "please tell me",
    "let me know",
    "i would like to know",
    "i want to know",
    "i need to know",
    "may i ask for",
    "might i ask for",
    "could i ask for",
    "can i ask for",
    "may i see",
    "could i see",
    "can i see",
    "could we see",
    "can we see",
    "could i get",
    "can i get",
    "could we get",
    "can we get",
    "could we have",
    "can we have",
    "may we have",
    "i would appreciate",
    "we would appreciate",
    "i would be grateful for",
];

/// How many tokens such an opening takes here.
fn asked_kindly(tokens: &[Token]) -> Option<usize> {
    KINDLY.iter().find_map(|opening| {
        let mut rest = *opening;
        for (at, token) in tokens.iter().enumerate() {
            let raw = token.raw.to_lowercase();
            let said = if token.text.contains(' ') { token.text.as_str() } else { raw.as_str() };
            rest = rest.strip_prefix(said)?;
            if rest.is_empty() {
                return Some(at + 1);
            }
            rest = rest.strip_prefix(' ')?;
        }
        None
    })
}

/// The first counting word, whether somebody asked politely, and whether it is a "do not".
pub(super) fn head(tokens: &[Token]) -> (usize, bool, bool) {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut at, mut polite, mut negated) = (0, false, false);
    while at < tokens.len() {
        if let Some(taken) = asked_kindly(&tokens[at..]) {
            (at, polite) = (at + taken, true);
            continue;
        }
        let (skip, kind, no) = match (text(at), text(at + 1), text(at + 2)) {
            ("do", "not", _) => (2, false, true),
            ("i" | "we", "do", "not") => (3, false, true),
            ("no", "need", "to") => (3, false, true),
            ("please" | "kindly", "to", _) => (2, true, false),
            ("actually", next, _) if next != "not" => (1, false, false),
            ("never", ..) => (1, false, true),
            ("would" | "do", "you", "mind") => (3, true, false),
            ("can" | "could" | "would" | "will", "you" | "we", _) => (2, true, false),
            ("i" | "we", "want" | "need", "you") if text(at + 3) == "to" => (4, true, false),
            ("i" | "we", "would", "like" | "love") => (if text(at + 3) == "to" { 4 } else { 2 }, true, false),
            ("i" | "we", "want" | "need" | "wish", "to") => (3, true, false),
            ("i" | "we", "want" | "need" | "require", _) => (1, true, false),
            ("can" | "could" | "may", "i", "have") => (2, true, false),
            ("let", "us", _) | ("go ahead", "and", _) => (2, true, false),
            (filler, ..) if FILLERS.contains(&filler) => (1, false, false),
            ("dry", "run", _) | ("dry-run", ..) => (if text(at) == "dry" { 2 } else { 1 }, false, false),
            ("you", "can" | "could" | "may", _) => (2, true, false),
            ("first" | "next" | "second" | "third" | "lastly" | "maybe", ..)
                if tokens.get(at + 1).is_some_and(begins_order) =>
            {
                (1, false, false)
            }
            _ if tokens[at].is_break() => (1, false, false),
            _ => break,
        };
        polite |= kind;
        negated |= no;
        at += skip;
    }
    (at, polite, negated)
}
