//! Takes secrets out of what leaves this machine: those that the home holds, word by word, and whatever looks like one.
//!
//! It must never let one through to spare a harmless word: a support bundle is read by strangers.

use crate::home::Home;
use gf_tools::secret::BEGINNINGS;
use serde_json::Value;
use std::{fs, path::Path};

const GONE: &str = "[removed]";
/// Shorter texts in key files are no secrets, and taking them out would spoil everything.
const SHORTEST: usize = 8;
/// Larger files hold no single secret.
const LARGEST_KEY_FILE: u64 = 64 * 1024;

/// How the names of what is secret end.
const NAMES: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pass",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "signature",
    "credential",
    "cookie",
];

pub struct Secrets {
    /// Longest first, so that none is left in half.
    known: Vec<String>,
}

impl Secrets {
    /// What the home's key files and the files that its settings name hold.
    pub fn of(home: &Home) -> Self {
        let mut known = Vec::new();
        key_files(&home.dir, 4, &mut known);
        if let Ok(text) = fs::read(home.dir.join("settings.json"))
            && let Ok(settings) = serde_json::from_slice::<Value>(&text)
        {
            named_files(&settings, &mut known);
        }
        known.extend(std::env::var("CLAWOPS_KEY").ok());
        known.retain(|secret| secret.len() >= SHORTEST);
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        known.dedup();
        Self { known }
    }

    /// The text without them, and how many were taken out.
    pub fn removed_from(&self, text: &str) -> (String, usize) {
        let mut text = text.to_owned();
        let mut removed = 0;
        for secret in &self.known {
            removed += text.matches(secret.as_str()).count();
            text = text.replace(secret.as_str(), GONE);
        }
        let (text, more) = without_suspects(&text);
        (text, removed + more)
    }
}

fn key_files(directory: &Path, depth: usize, known: &mut Vec<String>) {
    let in_keys = directory.file_name().is_some_and(|name| name == "keys");
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        let holds_a_key = in_keys
            || path.extension().is_some_and(|ext| ["key", "token", "pem"].iter().any(|known| ext == *known));
        if kind.is_dir() && depth > 0 {
            key_files(&path, depth - 1, known);
        } else if kind.is_file() && holds_a_key {
            lines_of(&path, known);
        }
    }
}

fn lines_of(path: &Path, known: &mut Vec<String>) {
    if fs::metadata(path).is_ok_and(|file| file.len() <= LARGEST_KEY_FILE)
        && let Ok(text) = fs::read_to_string(path)
    {
        known.extend(text.lines().map(|line| line.trim().to_owned()));
    }
}

/// Files that hold secrets are named as `…File`, or as `key-file=…` in the words of a model.
fn named_files(settings: &Value, known: &mut Vec<String>) {
    match settings {
        Value::Object(map) => {
            for (name, value) in map {
                match value.as_str().filter(|_| name.ends_with("File")) {
                    Some(path) => lines_of(Path::new(path), known),
                    None => named_files(value, known),
                }
            }
        }
        Value::String(words) => {
            let files = words.split_whitespace().filter_map(|word| word.strip_prefix("key-file="));
            files.for_each(|path| lines_of(Path::new(path), known));
        }
        Value::Array(values) => values.iter().for_each(|value| named_files(value, known)),
        _ => {}
    }
}

/// Word by word: a word that looks like a secret, that stands behind a name of one, or that holds a password before a host.
fn without_suspects(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let (mut removed, mut before) = (0, "");
    let mut rest = text;
    while let Some(at) = rest.find(is_of_word) {
        let (between, tail) = rest.split_at(at);
        let end = tail.find(|c| !is_of_word(c)).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        out.push_str(between);
        if names_the_next(before, between) && !is_scheme(word) || word.split('/').any(looks_like_one) {
            out.push_str(GONE);
            removed += 1;
        } else if let Some((_, host)) = word.rsplit_once('@') {
            out.push_str(&format!("{GONE}@{host}"));
            removed += 1;
        } else {
            out.push_str(word);
        }
        // A scheme between a name and its value changes nothing.
        before = word;
        rest = tail;
    }
    out.push_str(rest);
    (out, removed)
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./+@~%[]".contains(c)
}

/// Whether what stands between joins a value to the name before it: `": "`, `=`; a new line or a comma begins something
/// else. Behind `Bearer` a blank is enough.
fn names_the_next(name: &str, between: &str) -> bool {
    let joins = between.chars().all(|c| "\"'=: \\".contains(c));
    joins && (is_scheme(name) || is_name(name) && between.contains([':', '=']))
}

fn is_name(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let last = word.rsplit(['.', '/']).next().unwrap_or_default();
    // `botToken`, `api_token` and the like end with one.
    NAMES.iter().any(|name| last.ends_with(name))
}

/// Stands between `Authorization:` and what is secret.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn looks_like_one(word: &str) -> bool {
    let is_made = word.len() >= 16 && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    // Of Telegram's what stands before the colon is the bot's public number.
    let is_telegrams = word.len() >= 34 && word.starts_with("AA");
    is_made || is_telegrams
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        Secrets { known: vec!["korrekt pferd batterie".into()] }.removed_from(text).0
    }

    #[test]
    fn what_looks_like_a_secret_or_stands_behind_its_name_is_taken_out() {
        for secret in [
            "authorization: Bearer hunter2hunter2",
            r#""botToken": "hunter2hunter2""#,
            r#"{\"password\":\"hunter2hunter2\"}"#,
            "POST /hook?token=hunter2hunter2&x=1",
            "password=hunter2hunter2",
            "postgres://gf:hunter2hunter2@db.example/fleet",
            "api_key = hunter2hunter2",
            "sk-hunter2hunter2hunter2",
            "it said korrekt pferd batterie",
            "GET /hook?x=1&access_token=hunter2hunter2",
            "https://api.telegram.org/bot123456789:AAhunter2hunter2hunter2hunter2hunter2/getMe",
        ] {
            let clean = cleaned(secret);
            assert!(!clean.contains("hunter2") && !clean.contains("pferd"), "{clean}");
            assert!(clean.contains(GONE), "{clean}");
        }
    }

    #[test]
    fn what_tells_how_things_stand_is_left() {
        for harmless in [
            "2026-11-21T22:00:00Z INFO gatewayforge: begun operation=op-91c2 trace=4bf92f3577b34da6a3ce929d0e0e4736",
            r#"{"hash":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","seq":12}"#,
            "the token was refused and the password is wrong",
            "acct-0042 is left out: its maintenance window is 02:00-04:00 UTC",
        ] {
            assert_eq!(cleaned(harmless), harmless);
        }
    }
}
