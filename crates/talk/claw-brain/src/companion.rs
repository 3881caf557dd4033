//! The model `companion`: small talk for an end user's own gateway, from the conversation itself.
//!
//! It knows nothing but what was said before, calls no tools, and says plainly that it is an offline model.

use crate::{chat::ChatTurn, envelope::Conversation};

/// Something that the user told us: "my name is Ada" is (`name`, `Ada`).
#[derive(Debug, Clone, PartialEq)]
struct Fact {
    key: String,
    value: String,
}

const ASKING: [&str; 12] =
    ["what", "who", "where", "when", "which", "how", "do", "did", "can", "could", "tell", "whats"];
const EMPTY_WORDS: &[&str] = &[
    "the", "a", "an", "is", "are", "was", "were", "what", "who", "where", "when", "which", "how", "do",
    "did", "you", "i", "me", "my", "your", "to", "of", "that", "this", "it", "please", "again", "remember",
    "recall", "tell", "told", "said", "say", "still", "can", "could", "for", "and", "in", "on", "whats",
    "called", "know", "earlier", "before", "asked", "remind",
];

pub fn respond(conversation: &Conversation) -> ChatTurn {
    let said = conversation.now.said.text.trim();
    if let Some(turn) = crate::internal::respond(conversation) {
        return turn;
    }
    let facts: Vec<Fact> = conversation.past.iter().flat_map(|exchange| facts(&exchange.said.text)).collect();
    let told = facts_now(said);
    let lower = said.to_lowercase();
    let text = match () {
        () if lower.contains("how are you") || lower.contains("how do you do") => {
            "I am well, thank you. How are you?".to_owned()
        }
        () if is_question(&lower) => recall(&lower, &facts),
        () if !told.is_empty() => format!(
            "I will remember that: {}.",
            told.iter().map(|fact| fact.value.as_str()).collect::<Vec<_>>().join("; ")
        ),
        () if ["hello", "hi", "hey", "good morning", "good evening"]
            .iter()
            .any(|greeting| lower.starts_with(greeting)) =>
        {
            match facts.iter().rev().find(|fact| fact.key == "name") {
                Some(name) => format!("Hello {}! It is good to hear from you.", name.value),
                None => "Hello! It is good to hear from you.".to_owned(),
            }
        }
        () if lower.contains("thank") => "You are welcome.".to_owned(),
        () if said.is_empty() => "I am here.".to_owned(),
        () => format!(
            "I am the offline companion, so I can chat and remember, but not much more. I heard: \"{}\"",
            shortened(said)
        ),
    };
    ChatTurn::say(text)
}

fn is_question(lower: &str) -> bool {
    let first = words(lower).next().unwrap_or_default();
    lower.ends_with('?') || ASKING.contains(&first)
}

fn facts_now(said: &str) -> Vec<Fact> {
    if is_question(&said.to_lowercase()) { Vec::new() } else { facts(said) }
}

/// Facts of one message, sentence by sentence.
fn facts(said: &str) -> Vec<Fact> {
    said.split(['.', '!', '\n', ';']).filter_map(fact).collect()
}

fn fact(sentence: &str) -> Option<Fact> {
    let sentence = sentence.trim();
    if sentence.is_empty() || is_question(&sentence.to_lowercase()) {
        return None;
    }
    if let Some(rest) = after(sentence, "call me ") {
        return Some(Fact { key: "name".to_owned(), value: rest.to_owned() });
    }
    let asked = after(sentence, "remember").map(|rest| rest.trim_start_matches([':', ',', ' ']));
    let statement = asked.map_or(sentence, |rest| {
        ["that ", "this: ", "this ", "please "]
            .iter()
            .find_map(|lead| after_start(rest, lead))
            .unwrap_or(rest)
    });
    let statement = statement.trim_start_matches([':', ' ']);
    for link in [" is ", " are ", " was ", "'s name is "] {
        if let Some((key, value)) = split_once_ignoring_case(statement, link) {
            let owned = key.to_lowercase();
            let told = asked.is_some()
                || owned.starts_with("my ")
                || owned.starts_with("the ")
                || owned.starts_with("our ");
            if told && !value.trim().is_empty() && !key.trim().is_empty() {
                let key = owned
                    .trim_start_matches("my ")
                    .trim_start_matches("the ")
                    .trim_start_matches("our ")
                    .trim()
                    .to_owned();
                return Some(Fact { key, value: tidy(value) });
            }
        }
    }
    for lead in ["i live in ", "i like ", "i love ", "i work at ", "i am from ", "i'm from "] {
        if let Some(rest) = after_start(statement, lead) {
            return Some(Fact { key: lead.trim_start_matches("i ").trim().to_owned(), value: tidy(rest) });
        }
    }
    // "Remember the word heliotrope": the last word is what matters, the one before says what it is.
    let rest = asked.map(|_| tidy(statement))?;
    let parts: Vec<&str> = rest.split_whitespace().collect();
    let named = parts.len() >= 2
        && parts.len() <= 4
        && matches!(parts[0].to_lowercase().as_str(), "the" | "my" | "a" | "this");
    match parts.split_last() {
        Some((value, lead)) if named && lead.len() >= 2 => Some(Fact {
            key: lead[1..].join(" ").to_lowercase(),
            value: value.trim_matches(['"', '\'', ':']).to_owned(),
        }),
        Some(_) => Some(Fact { key: rest.to_lowercase(), value: rest }),
        None => None,
    }
}

fn recall(question: &str, facts: &[Fact]) -> String {
    let asked: Vec<&str> = words(question).filter(|word| !EMPTY_WORDS.contains(word)).collect();
    let shared = |fact: &Fact| {
        words(&fact.key.to_lowercase())
            .filter(|word| asked.iter().any(|asked| stem(asked) == stem(word)))
            .count()
    };
    let best = facts
        .iter()
        .map(|fact| (shared(fact), fact))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, _)| *score);
    let to_remember =
        ["remember", "told you", "tell you", "recall", "said"].iter().any(|said| question.contains(said));
    match (best, facts.last()) {
        (Some((_, fact)), _) if fact.key.to_lowercase() == fact.value.to_lowercase() => format!("You asked me to remember: {}.", fact.value),
        (Some((_, fact)), _) => format!("Your {} is {}: you told me earlier.", fact.key, fact.value),
        (None, Some(fact)) if to_remember => format!("You told me to remember {}.", fact.value),
        _ => "I am the offline companion: I only know what you told me in this conversation, and I can't find that there.".to_owned(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty())
}

fn stem(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word)
}

fn tidy(value: &str) -> String {
    value.trim().trim_matches(['"', '\'', ':', ',']).trim().to_owned()
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// What follows a phrase anywhere in the sentence.
fn after<'a>(sentence: &'a str, phrase: &str) -> Option<&'a str> {
    split_once_ignoring_case(sentence, phrase).map(|(_, rest)| rest.trim()).filter(|rest| !rest.is_empty())
}

fn after_start<'a>(sentence: &'a str, phrase: &str) -> Option<&'a str> {
    let head = sentence.get(..phrase.len())?;
    head.eq_ignore_ascii_case(phrase).then(|| sentence[phrase.len()..].trim()).filter(|rest| !rest.is_empty())
}

fn split_once_ignoring_case<'a>(text: &'a str, phrase: &str) -> Option<(&'a str, &'a str)> {
    let at = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| text.get(*at..at + phrase.len()).is_some_and(|part| part.eq_ignore_ascii_case(phrase)))?;
    Some((&text[..at], &text[at + phrase.len()..]))
}
