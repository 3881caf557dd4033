//! Brings a word to the form that the lexicon has: endings off, small misspellings of trade words repaired.
//!
//! Everyday words and short words are never "repaired", since a wrong repair could turn talk into an act.

use super::lexicon::Lexicon;

/// The word that was meant, where this one is a slip of the finger.
pub fn meant(word: &str) -> Option<&'static str> {
    let lexicon = Lexicon::get();
    let (base, _) = lemma(word);
    if base != word || !lexicon.phrases(word).is_empty() {
        return None;
    }
    swapped(lexicon, word).or_else(|| repaired(lexicon, word))
}

/// Short words whose neighbours are often typed in the wrong order; nothing else of a short word is repaired.
const SHORT: &[&str] = &[
    "the", "how", "what", "who", "which", "last", "back", "push", "tear", "roll", "show", "not", "cost",
    "hour", "done", "down", "drop", "stop", "from", "this", "that", "with",
];

/// The short word that this is with two letters in the wrong order.
fn swapped(lexicon: &Lexicon, word: &str) -> Option<&'static str> {
    if !word.is_ascii() || word.len() > 5 || lexicon.is_english(word) {
        return None;
    }
    let mut found = SHORT.iter().filter(|short| short.len() == word.len() && distance(short, word) == 1);
    let mut letters = word.as_bytes().to_vec();
    letters.sort_unstable();
    found
        .find(|short| {
            let mut own = short.as_bytes().to_vec();
            own.sort_unstable();
            own == letters
        })
        .copied()
}

/// The lexicon's form of a word, and whether it was in the past tense.
pub fn lemma(word: &str) -> (String, bool) {
    let lexicon = Lexicon::get();
    // An asking word is no form of a deed.
    if word == "does" {
        return (word.to_owned(), false);
    }
    let irregular = match word {
        "tore" | "torn" => Some("tear"),
        "rebuilt" | "built" => Some("build"),
        "undid" | "undone" => Some("undo"),
        "shutdown" => Some("teardown"),
        _ => None,
    };
    if let Some(base) = irregular {
        return (base.to_owned(), true);
    }
    let known = |word: &str| !lexicon.phrases(word).is_empty();
    if known(word) {
        return (word.to_owned(), false);
    }
    for (ending, past) in [("s", false), ("es", false), ("ing", false), ("ed", true), ("d", true)] {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() >= 2 && stem.is_ascii()) else {
            continue;
        };
        let with_e = format!("{stem}e");
        let doubled = stem.as_bytes()[stem.len() - 1] == stem.as_bytes()[stem.len() - 2];
        let undoubled = doubled.then(|| &stem[..stem.len() - 1]);
        if let Some(base) =
            [Some(stem), Some(with_e.as_str()), undoubled].into_iter().flatten().find(|base| known(base))
        {
            return (base.to_owned(), past);
        }
    }
    if let Some(singular) = word.strip_suffix("ies").map(|stem| format!("{stem}y")).filter(|base| known(base))
    {
        return (singular, false);
    }
    (word.to_owned(), false)
}

/// The one known word that this may be a misspelling of; none where two are as close.
fn repaired(lexicon: &Lexicon, word: &str) -> Option<&'static str> {
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) || lexicon.is_english(word) {
        return None;
    }
    let singular = word.strip_suffix('s').filter(|_| !word.ends_with("ss")).unwrap_or(word);
    let near = |target: &&'static str| {
        let allowed = if target.len() >= 8 { 2 } else { 1 };
        if target.as_bytes()[0] != word.as_bytes()[0] || target.len().abs_diff(word.len()) > allowed + 1 {
            return None;
        }
        let best = distance(word, target).min(distance(singular, target));
        (best <= allowed).then_some((best, *target))
    };
    let mut found: Vec<(usize, &'static str)> = lexicon.correctable.iter().filter_map(near).collect();
    found.sort_unstable();
    match found.as_slice() {
        [(_, only)] => Some(only),
        [(first, best), (second, _), ..] if first < second => Some(best),
        // "Close" and "closed" are one word.
        [(_, short), (_, long)] if long.starts_with(short) => Some(long),
        _ => None,
    }
}

/// Edits between two words, where swapping two neighbours is one edit.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_come_off_and_the_past_is_seen() {
        assert_eq!(lemma("accounts"), ("account".into(), false));
        assert_eq!(lemma("restarted"), ("restart".into(), true));
        assert_eq!(lemma("deleted"), ("delete".into(), true));
        assert_eq!(lemma("standbys"), ("standby".into(), false));
    }

    #[test]
    fn trade_words_are_repaired_and_everyday_words_are_not() {
        for (slip, word) in [
            ("provison", "provision"),
            ("standrad", "standard"),
            ("acounts", "account"),
            ("vlutr", "vultr"),
            ("vutr", "vultr"),
            ("wihtout", "without"),
            ("tomrorow", "tomorrow"),
            ("nureberg", "nuremberg"),
        ] {
            assert_eq!(meant(slip), Some(word), "{slip}");
        }
        for other in
            ["remote", "crate", "house", "provide", "clause", "resort", "restart", "xyzzy", "retried"]
        {
            assert_eq!(meant(other), None, "{other}");
        }
    }
}
