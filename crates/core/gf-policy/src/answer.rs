//! Whether a person's message is, as a whole, an answer to exactly one open question.
//!
//! This is the only place where words become a yes. The list is closed; whatever is not on it is a new request.

use gf_model::{ApprovalCode, Timestamp};

/// A question as it stands open in the conversation that the message came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    pub code: ApprovalCode,
    /// Whether it was seen leaving for this conversation.
    pub was_shown: bool,
    /// The channel's ids of the messages that carried it.
    pub message_ids: Vec<String>,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub struct AnswerContext<'a> {
    /// Every question that is open in this conversation.
    pub open: &'a [OpenQuestion],
    /// The message that this one replies to, if any.
    pub quoted: Option<&'a str>,
    /// Whether the channel vouches for the sender. A nickname is not a person.
    pub sender_is_proven: bool,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Granted(ApprovalCode),
    Denied(ApprovalCode),
    /// A person wants it otherwise, and says how.
    Changes(ApprovalCode, String),
    /// Meant as an answer, and not one that can be taken.
    Ambiguous {
        why: String,
    },
    /// Not an answer.
    None,
}

/// "ok" alone is not on it: people say it to whatever they were told.
const YES: &[&str] = &[
    "go",
    "go ahead",
    "go for it",
    "go on",
    "please go ahead",
    "lets go",
    "ok go",
    "okay go",
    "ok go ahead",
    "okay go ahead",
    "sure go ahead",
    "yes",
    "y",
    "yep",
    "yeah",
    "yes go",
    "yes go ahead",
    "yes please",
    "yes do it",
    "yes do that",
    "yes do so",
    "yes proceed",
    "yes approve",
    "yes approved",
    "yes confirm",
    "do it",
    "do that",
    "please do",
    "please do it",
    "ok do it",
    "okay do it",
    "sure do it",
    "lets do it",
    "yes lets do it",
    "proceed",
    "please proceed",
    "confirm",
    "confirmed",
    "i confirm",
    "approve",
    "approved",
    "i approve",
    "make it so",
    "👍",
];
const NO: &[&str] = &[
    "no",
    "n",
    "nope",
    "no thanks",
    "no thank you",
    "no dont",
    "no do not",
    "no cancel",
    "no stop",
    "deny",
    "denied",
    "cancel",
    "cancel it",
    "cancel that",
    "stop",
    "reject",
    "rejected",
    "dont",
    "do not",
    "dont do it",
    "do not do it",
    "dont do that",
    "drop it",
    "forget it",
    "never mind",
    "nevermind",
    "leave it",
    "no leave it",
    "abort",
    "👎",
];

/// What a person wants otherwise has this many characters at most.
pub const LONGEST_WISH: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Yes,
    No,
    Change(String),
}

pub fn answer(text: &str, context: &AnswerContext<'_>) -> Answer {
    let Some((word, code)) = read(text) else { return Answer::None };
    let open: Vec<_> = context.open.iter().filter(|question| context.now < question.expires_at).collect();
    if open.is_empty() && code.is_none() {
        return Answer::None;
    }
    if !context.sender_is_proven {
        return ambiguous(
            "this channel does not prove who wrote; answer where it does, or with your own key",
        );
    }
    let quoted: Vec<_> = open
        .iter()
        .filter(|question| context.quoted.is_some_and(|id| question.message_ids.iter().any(|own| own == id)))
        .collect();
    let meant = match (code, &quoted[..], &open[..]) {
        (Some(code), [other, ..], _) if other.code != code => {
            return ambiguous(&format!("it names {code} and replies to the question of {}", other.code));
        }
        (Some(code), ..) => match open.iter().find(|question| question.code == code) {
            Some(question) => question,
            None => return ambiguous(&format!("no question {code} is open in this conversation")),
        },
        // A reply to something else is a yes to that.
        (None, [], _) if context.quoted.is_some() => return Answer::None,
        (None, [question], _) => *question,
        (None, _, [question]) => question,
        (None, _, many) => {
            let codes: Vec<_> = many.iter().map(|question| question.code.as_str()).collect();
            return ambiguous(&format!(
                "{} questions are open here: say which, such as \"approve {}\" ({})",
                many.len(),
                codes[0],
                codes.join(", ")
            ));
        }
    };
    if !meant.was_shown {
        return ambiguous(&format!("question {} has not been shown here yet", meant.code));
    }
    match word {
        Word::Yes => Answer::Granted(meant.code.clone()),
        Word::No => Answer::Denied(meant.code.clone()),
        Word::Change(text) => Answer::Changes(meant.code.clone(), text),
    }
}

fn ambiguous(why: &str) -> Answer {
    Answer::Ambiguous { why: why.to_owned() }
}

/// The whole message as a word of the list, and the code that it names.
fn read(text: &str) -> Option<(Word, Option<ApprovalCode>)> {
    if let Some(wish) = wish(text) {
        return Some(wish);
    }
    let plain = normalised(text)?;
    if let Some(word) = word(&plain) {
        return Some((word, None));
    }
    let (verb, code) = plain.rsplit_once(' ')?;
    let code = code.parse::<ApprovalCode>().ok()?;
    // "do it A7K2" is a yes; "ok" alone before a code is how people begin other sentences too.
    matches!(verb, "approve" | "approved" | "go" | "yes" | "confirm" | "deny" | "reject" | "no" | "cancel")
        .then(|| word(verb))
        .flatten()
        .map(|word| (word, Some(code)))
}

/// "change A7K2: only the standby": what is wanted otherwise, after a colon. It only ever holds something back.
fn wish(text: &str) -> Option<(Word, Option<ApprovalCode>)> {
    let (head, wanted) = text.split_once(':')?;
    let wanted = wanted.trim();
    if wanted.is_empty() || wanted.chars().count() > LONGEST_WISH {
        return None;
    }
    let head = normalised(head)?;
    let (word, code) = match head.split_once(' ') {
        None => (head.as_str(), None),
        Some((word, code)) => (word, Some(code.parse::<ApprovalCode>().ok()?)),
    };
    matches!(word, "change" | "changes").then(|| (Word::Change(wanted.to_owned()), code))
}

fn word(plain: &str) -> Option<Word> {
    if YES.contains(&plain) {
        Some(Word::Yes)
    } else if NO.contains(&plain) {
        Some(Word::No)
    } else {
        None
    }
}

/// Lower case, single spaces, no closing punctuation. A question mark is part of what is said.
fn normalised(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    // Skin tones, emoji selectors and invisible joints say nothing.
    let is_mute =
        |c: char| matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe0f}' | '\u{200b}'..='\u{200d}' | '\u{feff}');
    let text: String = text.chars().filter(|c| !is_mute(*c)).collect();
    let text = text.trim();
    if matches!(text, "👍" | "👎") {
        return Some(text.to_owned());
    }
    let trimmed = text.trim_end_matches(['.', '!', ' ', '👍', '✅']);
    let lower = trimmed.to_lowercase().replace(['’', '\''], "").replace(", ", " ");
    let words: Vec<_> = lower.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
