//! Before a sentence is cut: names written in two words become one, and courtesy that asks nothing is left out.
//!
//! It must never take away a word on which an order hangs: no "if" of courtesy is a condition, every other one is.

/// What is written apart, and how it is written here.
const TOGETHER: &[(&str, &str)] = &[
    ("digital ocean", "digitalocean"),
    ("new jersey", "new-jersey"),
    ("w/o", "without"),
    ("half a dozen", "6"),
    ("half-dozen", "6"),
    ("stand by", "standby"),
    ("local a", "local-a"),
    ("local b", "local-b"),
    ("as soon as possible", "asap"),
    ("off and on again", "restart"),
    ("all at once", "at once"),
    ("right away", "immediately now"),
    ("o'clock", "oclock"),
    ("all right", "alright"),
];

/// Said for the sake of manners, or while thinking.
const COURTESY: &[&str] = &[
    "oh no",
    "while you're at it",
    "while you are at it",
    "by the way",
    "if that's alright",
    "if that is alright",
    "if that's all right",
    "if that is all right",
    "if that's ok",
    "if that's okay",
    "if that is ok",
    "if that's possible",
    "if that is possible",
    "if you don't mind",
    "if you do not mind",
    "if you dont mind",
    "if you please",
    "if you would",
    "if you could",
    "if you would be so kind",
    "if you'd be so kind",
    "if you will",
    "if i may ask",
    "if i may",
    "if possible",
    "if it is not too much trouble",
    "if it's not too much trouble",
    "if it is no trouble",
    "if it's no trouble",
    "when it suits you",
    "whenever it suits you",
    "when you have a moment",
    "when you have a minute",
    "when you have a second",
    "when you have time",
    "when you get a chance",
    "when you get a moment",
    "when you get a minute",
    "when you find a minute",
    "when you find a moment",
    "when convenient",
    "at your convenience",
    "at your earliest convenience",
    "for a moment",
    "for the moment",
    "for the time being",
    "for me please",
    "sorry to bother you",
    "sorry to trouble you",
    "i hate to ask",
    "quick question",
    "quick one",
    "ever so much",
    "my bad",
    "to be honest",
    "tbh",
    "imo",
    "imho",
    "fyi",
    "btw",
];

/// The text as it is cut.
pub fn respelt(text: &str) -> String {
    let plain = COURTESY.iter().fold(text.to_owned(), |text, said| without(&text, said));
    TOGETHER.iter().fold(plain, |text, (apart, together)| replaced(&text, apart, together))
}

/// An opening "if you could" is left as it is: "it would be great if you could" needs it, and so does a condition.
fn without(text: &str, said: &str) -> String {
    let Some(at) = place(text, said) else { return text.to_owned() };
    let after = text[at + said.len()..].trim_start();
    let unfinished = matches!(said, "if you would" | "if you could" | "if you will" | "if i may");
    let ends = after.is_empty() || after.starts_with(['.', ',', '?', '!', ';', '\n']);
    match !unfinished || ends {
        true => format!("{}{}", &text[..at], &text[at + said.len()..]),
        false => text.to_owned(),
    }
}

fn replaced(text: &str, apart: &str, together: &str) -> String {
    match place(text, apart) {
        Some(at) => format!("{}{together}{}", &text[..at], &text[at + apart.len()..]),
        None => text.to_owned(),
    }
}

/// Where these words stand as whole words, before any JSON.
fn place(text: &str, said: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let end = lower.find('{').unwrap_or(lower.len());
    lower[..end].match_indices(said).map(|(at, _)| at).find(|at| {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        apart(lower[..*at].chars().next_back()) && apart(lower[at + said.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::respelt;

    #[test]
    fn courtesy_goes_and_conditions_stay() {
        assert_eq!(respelt("restart i-7f3a, if you don't mind"), "restart i-7f3a, ");
        assert_eq!(respelt("restart it if you could."), "restart it .");
        assert_eq!(respelt("restart it if you could not reach it"), "restart it if you could not reach it");
        assert_eq!(respelt("is digital ocean up"), "is digitalocean up");
    }
}
