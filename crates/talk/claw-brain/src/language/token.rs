//! Cuts a sentence into tokens: ids, numbers, JSON, quotes, times and words with their senses.

use super::{classify, lexicon::Lexicon, moment, number, particle, respell::respelt, sense::Sense, spelling};
use jiff::civil::DateTime;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Word,
    Number(i64),
    /// A decimal or an amount of dollars.
    Amount(f64),
    Account(String),
    Instance(String),
    Operation(String),
    Archive(String),
    Snapshot(String),
    Incident(String),
    Code(String),
    /// Hour and minute.
    Clock(u8, u8),
    Minutes(i64),
    /// A date, alone or with an hour.
    Moment(DateTime, moment::Grain),
    Json(Value),
    BrokenJson(String),
    Quote(String),
    /// `moonshot/kimi-k2.5`
    ModelName(String),
    /// `tools.toolSearch`
    KeyPath(String),
    Break(char),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Lower case, in the lexicon's form.
    pub text: String,
    pub raw: String,
    pub kind: Kind,
    pub senses: Vec<Sense>,
    pub past: bool,
}

impl Token {
    pub fn new(raw: &str, kind: Kind) -> Self {
        Self { text: raw.to_lowercase(), raw: raw.to_owned(), kind, senses: Vec::new(), past: false }
    }

    pub fn is(&self, sense: Sense) -> bool {
        self.senses.contains(&sense)
    }

    pub fn is_break(&self) -> bool {
        matches!(self.kind, Kind::Break(_))
    }
}

/// All tokens of a text, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let text = text.replace(['’', '‘'], "'").replace(['“', '”'], "\"");
    let text = text.replace("```json", "\n").replace("```", "\n");
    let text = respelt(&text);
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '{' => json(rest, &mut found),
            _ if c.is_ascii_digit() && moment::take(rest).is_some() => {
                let (taken, kind) = moment::take(rest).unwrap_or((1, Kind::Word));
                found.push(Token::new(&rest[..taken], kind));
                taken
            }
            '"' | '`' => quote(rest, c, &mut found),
            '→' => {
                found.push(Token::new("to", Kind::Word));
                c.len_utf8()
            }
            '-' | '=' if rest[1..].starts_with('>') => {
                found.push(Token::new("to", Kind::Word));
                2
            }
            '%' | '=' => {
                found.push(Token::new(&rest[..1], Kind::Word));
                1
            }
            ',' | ';' | '.' | '?' | '!' | ':' | '\n' => {
                found.push(Token::new(&rest[..1], Kind::Break(c)));
                1
            }
            _ if c.is_alphanumeric() || matches!(c, '$' | '-') => word(rest, &mut found),
            _ => c.len_utf8(),
        };
        rest = &rest[taken.max(c.len_utf8())..];
    }
    for token in found.iter_mut().filter(|token| token.kind == Kind::Word) {
        if let Some(meant) = spelling::meant(&token.text) {
            meant.clone_into(&mut token.raw);
            meant.clone_into(&mut token.text);
            token.kind = number::word(meant).map_or(Kind::Word, Kind::Number);
        }
    }
    found.retain(|token| {
        !matches!(
            token.text.as_str(),
            "um" | "uh"
                | "uhm"
                | "erm"
                | "er"
                | "hmm"
                | "hm"
                | "oh"
                | "ah"
                | "whoa"
                | "wow"
                | "dang"
                | "yikes"
                | "ugh"
        )
    });
    classify::join_numbers(&mut found);
    classify::bare_ids(&mut found);
    let mut found = phrases(found);
    particle::join(&mut found);
    found
}

fn json(rest: &str, found: &mut Vec<Token>) -> usize {
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => {
            let end = stream.byte_offset();
            found.push(Token::new("{}", Kind::Json(value)));
            end
        }
        Some(Err(problem)) => {
            found.push(Token::new("{}", Kind::BrokenJson(problem.to_string())));
            rest.rfind('}').map_or(rest.len(), |at| at + 1)
        }
        None => 1,
    }
}

fn quote(rest: &str, mark: char, found: &mut Vec<Token>) -> usize {
    let inside = &rest[1..];
    match inside.find(mark) {
        Some(0) | None => 1,
        Some(end) if inside[..end].trim_start().starts_with('{') => 1,
        Some(end) => {
            found.push(Token::new(&inside[..end], Kind::Quote(inside[..end].to_owned())));
            end + 2
        }
    }
}

/// One run of word characters; inner `- _ . / ' : ,` belong to it when something follows them.
fn word(rest: &str, found: &mut Vec<Token>) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let digit_after = next.is_some_and(|next| next.is_ascii_digit());
        let digits_before = rest[..at].bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'$' | b'-'));
        let inner = match c {
            _ if c.is_alphanumeric() || c == '_' => true,
            '$' | '-' if at == 0 => digit_after,
            '-' | '\'' | '/' | '.' => at > 0 && next.is_some_and(char::is_alphanumeric),
            ':' => at > 0 && digits_before && digit_after,
            ',' => {
                at > 0
                    && digits_before
                    && rest[at + 1..].chars().take_while(char::is_ascii_digit).count() == 3
            }
            _ => false,
        };
        if !inner {
            break;
        }
        end = at + c.len_utf8();
    }
    if end > 0 {
        classify::push(&rest[..end], found);
    }
    end
}

/// Gives words their senses; the words of a phrase become one token.
fn phrases(mut known: Vec<Token>) -> Vec<Token> {
    let lexicon = Lexicon::get();
    for token in known.iter_mut().filter(|token| token.kind == Kind::Word) {
        (token.text, token.past) = spelling::lemma(&token.text);
    }
    let mut out: Vec<Token> = Vec::with_capacity(known.len());
    let mut at = 0;
    while at < known.len() {
        let mut token = known[at].clone();
        let mut taken = 1;
        let may_begin = token.kind == Kind::Word || token.text == "one";
        let said = |offset: usize, word: &str| {
            known.get(at + offset).is_some_and(|t| t.text == word || t.raw.eq_ignore_ascii_case(word))
        };
        let entry = lexicon
            .phrases(&token.text)
            .iter()
            .find(|entry| entry.words.iter().enumerate().all(|(i, word)| said(i, word)));
        if let Some(entry) = entry.filter(|_| may_begin) {
            taken = entry.words.len();
            token.senses.clone_from(&entry.senses);
            if taken > 1 {
                token.text = entry.words.join(" ");
            }
        }
        out.push(token);
        at += taken;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text)
            .into_iter()
            .map(|t| t.kind)
            .filter(|k| !matches!(k, Kind::Word | Kind::Break(_)))
            .collect()
    }

    #[test]
    fn ids_are_known_with_and_without_their_prefix() {
        assert_eq!(
            kinds("delete accounts 0003 and 0004"),
            [Kind::Account("acct-0003".into()), Kind::Account("acct-0004".into())]
        );
        assert_eq!(kinds("is i-7f3a fine"), [Kind::Instance("i-7f3a".into())]);
        assert_eq!(kinds("approve b3fj"), [Kind::Code("B3FJ".into())]);
        assert_eq!(kinds("20 accounts"), [Kind::Number(20)]);
    }

    #[test]
    fn json_is_taken_whole_and_broken_json_is_seen() {
        let whole = serde_json::json!({"a": {"b": [1, "x, and y"]}});
        assert_eq!(kinds(r#"push {"a":{"b":[1,"x, and y"]}} now"#), [Kind::Json(whole)]);
        assert!(matches!(kinds(r#"push {"a":}"#)[..], [Kind::BrokenJson(_)]));
    }

    #[test]
    fn times_and_amounts() {
        let expected = [Kind::Clock(8, 0), Kind::Minutes(45), Kind::Clock(6, 30), Kind::Amount(50.0)];
        assert_eq!(kinds("at 8am for 45m or 06:30, $50"), expected);
    }

    #[test]
    fn a_parted_verb_is_one() {
        let all = tokens("tear it down");
        assert!(all[0].is(Sense::Remove) && all.len() == 2);
    }

    #[test]
    fn any_text_is_taken_without_a_panic() {
        for odd in ["", "$", "-", "'", "…—€", "{", "}{", "\"", "```", "𝒳i-", "'s", "1,", "::", "é'd"]
        {
            tokens(odd);
        }
    }
}
