//! Takes secrets out of what leaves the instance: configuration and log lines.
//!
//! It errs on the side of hiding: a key that sounds like a secret is hidden whatever its value is.

use gf_model::secret::{looks_secret, sounds_secret};
use serde_json::Value;

const HIDDEN: &str = "[redacted]";

/// Hides every value under a key that sounds secret.
pub fn document(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::Object(_) | Value::Array(_) => document(inner),
                    Value::Null | Value::Bool(_) => {}
                    _ if sounds_secret(key) => *inner = HIDDEN.into(),
                    _ => document(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(document),
        Value::String(text) if looks_secret(text) => *text = HIDDEN.into(),
        _ => {}
    }
}

/// A value at a path, hidden where any part of the path sounds secret.
pub fn value_at(path: &[String], value: &Value) -> Value {
    let mut shown = value.clone();
    if path.iter().any(|key| sounds_secret(key)) && !shown.is_object() {
        return HIDDEN.into();
    }
    document(&mut shown);
    shown
}

/// A log line without what looks like a secret, and without any of the `known` ones.
pub fn line(line: &str, known: &[&str]) -> String {
    let mut text = line.to_owned();
    for secret in known.iter().filter(|secret| secret.len() >= 6) {
        text = text.replace(secret, HIDDEN);
    }
    let mut shown = String::with_capacity(text.len());
    let mut hide_next = false;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"',=&?()[]{}".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"',=&?()[]{}".contains(c));
        let tail = &piece[word.len()..];
        let hide = looks_secret(word) || (hide_next && !word.is_empty());
        shown.push_str(if hide { HIDDEN } else { word });
        shown.push_str(tail);
        let announces = sounds_secret(word.trim_end_matches(':'))
            && (word.ends_with(':') || tail.contains(['=', '"', ':']));
        hide_next = announces || word.eq_ignore_ascii_case("bearer") || (hide_next && word.is_empty());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_leave_a_document_and_the_rest_stays() {
        let mut config = json!({
            "gateway": {"port": 1, "auth": {"mode": "token", "token": "t0p-secret"}},
            "models": {"providers": {"a": {"apiKey": "sk-abcdefghijkl", "maxTokens": 4096}}},
            "channels": {"telegram": {"botToken": "123456789:AAabcdefghijklmnopqrstuv"}},
            "list": ["xoxb-123456789012", "plain"]
        });
        document(&mut config);
        let text = config.to_string();
        for secret in ["t0p-secret", "sk-abc", "123456789:AA", "xoxb-"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(
            text.contains("4096") && text.contains("plain") && text.contains("\"mode\":\"token\""),
            "{text}"
        );
    }

    #[test]
    fn secrets_leave_a_line() {
        for bad in [
            "Authorization: Bearer abcdefgh12345",
            "connecting with token=abcdefgh12345 to x",
            r#"{"apiKey":"abcdefgh12345"}"#,
            "url /bot123456789:AAabcdefgh12345abcdefgh/getMe token: abcdefgh12345",
            "using sk-abcdefgh12345 now",
        ] {
            let shown = line(bad, &[]);
            assert!(!shown.contains("abcdefgh12345 ") && !shown.ends_with("abcdefgh12345"), "{shown}");
        }
        assert_eq!(line("ready in 812 ms, 14 plugins", &[]), "ready in 812 ms, 14 plugins");
        assert_eq!(line("hello my-own-secret", &["my-own-secret"]), "hello [redacted]");
    }
}
