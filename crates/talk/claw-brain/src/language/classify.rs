//! What one run of characters is: an id, a number, a time, a model's name, or a word.

use super::{
    number,
    token::{Kind, Token},
};

/// Adds the tokens of one run; a contraction gives two.
pub fn push(raw: &str, found: &mut Vec<Token>) {
    let lower = raw.to_lowercase();
    let owned = raw.strip_suffix("'s").unwrap_or(raw);
    if let Some(kind) = value(owned, lower.strip_suffix("'s").unwrap_or(&lower)) {
        found.push(Token::new(owned, kind));
        return;
    }
    let parts = expand(&lower);
    let whole = parts.len() == 1 && parts[0].len() == raw.len();
    for part in parts {
        let kind = number::word(&part).map_or(Kind::Word, Kind::Number);
        let mut token = Token::new(&part, kind);
        if whole {
            raw.clone_into(&mut token.raw);
        }
        found.push(token);
    }
}

fn value(raw: &str, lower: &str) -> Option<Kind> {
    if let Some(n) = number::digits(raw) {
        return Some(Kind::Number(n));
    }
    let numeric = lower.starts_with(|c: char| c.is_ascii_digit() || c == '$');
    let lower_amount =
        ["/month", "/mo", "/week", "/day"].iter().find_map(|per| lower.strip_suffix(per)).unwrap_or(lower);
    let amount = lower_amount.trim_start_matches('$').replace(',', "").parse::<f64>().ok();
    if let Some(amount) = amount.filter(|amount| numeric && amount.is_finite()) {
        return Some(Kind::Amount(amount));
    }
    if let Some(kind) = prefixed_id(lower).or_else(|| clock(lower)).or_else(|| minutes(lower)) {
        return Some(kind);
    }
    let begins_with_letter = raw.starts_with(|c: char| c.is_alphabetic());
    match () {
        () if is_code(raw) => Some(Kind::Code(raw.to_owned())),
        () if begins_with_letter && raw.contains('/') => Some(Kind::ModelName(raw.to_owned())),
        () if raw.contains('.') && raw.split('.').all(|key| key.starts_with(|c: char| c.is_alphabetic())) => {
            Some(Kind::KeyPath(raw.to_owned()))
        }
        () => None,
    }
}

/// Contractions as they are typed in a hurry.
const BARE_NOT: [(&str, &str); 12] = [
    ("dont", "do"),
    ("doesnt", "does"),
    ("didnt", "did"),
    ("havent", "have"),
    ("hasnt", "has"),
    ("hadnt", "had"),
    ("isnt", "is"),
    ("arent", "are"),
    ("wasnt", "was"),
    ("werent", "were"),
    ("wouldnt", "would"),
    ("shouldnt", "should"),
];
const BARE_IS: [(&str, &str); 8] = [
    ("whats", "what"),
    ("whos", "who"),
    ("hows", "how"),
    ("wheres", "where"),
    ("thats", "that"),
    ("theres", "there"),
    ("everythings", "everything"),
    ("anythings", "anything"),
];

/// Contractions as full words; a possessive loses its ending.
fn expand(word: &str) -> Vec<String> {
    let full = match word {
        "let's" | "lets" => Some("let us"),
        "can't" | "cant" | "cannot" => Some("can not"),
        "won't" | "wont" => Some("will not"),
        "im" => Some("i am"),
        "ive" => Some("i have"),
        "theyre" => Some("they are"),
        "youre" => Some("you are"),
        "whatre" => Some("what are"),
        "gonna" => Some("going to"),
        "wanna" => Some("want to"),
        "gimme" => Some("give me"),
        "lemme" => Some("let me"),
        _ => None,
    };
    let bare = BARE_NOT.iter().find(|(said, _)| *said == word).map(|(_, full)| format!("{full} not"));
    let bare =
        bare.or_else(|| BARE_IS.iter().find(|(said, _)| *said == word).map(|(_, full)| format!("{full} is")));
    if let Some(bare) = bare {
        return bare.split(' ').map(str::to_owned).collect();
    }
    if let Some(full) = full {
        return full.split(' ').map(str::to_owned).collect();
    }
    let Some((base, ending)) = word.split_once('\'') else {
        return vec![word.to_owned()];
    };
    let carries_is =
        ["what", "how", "who", "where", "when", "that", "it", "there", "here", "everything", "anything"];
    let (base, added) = match ending {
        "t" => (base.strip_suffix('n').unwrap_or(base), Some("not")),
        "re" => (base, Some("are")),
        "ve" => (base, Some("have")),
        "d" => (base, Some("would")),
        "ll" => (base, Some("will")),
        "m" => (base, Some("am")),
        "s" if carries_is.contains(&base) => (base, Some("is")),
        _ => (base, None),
    };
    std::iter::once(base).chain(added).map(str::to_owned).collect()
}

fn prefixed_id(lower: &str) -> Option<Kind> {
    let (prefix, tail) = lower.split_once('-')?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    // "acct-0001-acct-0009" is a range, which is no id.
    if ["acct-", "-i-", "op-"].iter().any(|inner| tail.contains(inner)) {
        return None;
    }
    if tail.is_empty() || tail.len() > 40 || !tail.bytes().all(allowed) {
        return None;
    }
    // "acct-0107s primary": the apostrophe was left out.
    let (lower, tail) = match tail.strip_suffix('s') {
        Some(bare) if bare.bytes().all(|b| b.is_ascii_hexdigit()) => (&lower[..lower.len() - 1], bare),
        _ => (lower, tail),
    };
    let id = lower.to_owned();
    match prefix {
        "acct" => Some(Kind::Account(id)),
        "account" if tail.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(Kind::Account(format!("acct-{tail}")))
        }
        "i" => Some(Kind::Instance(id)),
        "op" => Some(Kind::Operation(id)),
        "arch" => Some(Kind::Archive(id)),
        "snap" => Some(Kind::Snapshot(id)),
        "inc" => Some(Kind::Incident(id)),
        _ => None,
    }
}

/// An approval's code: four capitals or digits, the second a digit (`A7K2`).
pub fn is_code(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let allowed = |b: &u8| (b.is_ascii_uppercase() && !b"ILO".contains(b)) || (b'2'..=b'9').contains(b);
    bytes.len() == 4
        && bytes.iter().all(allowed)
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
}

fn clock(lower: &str) -> Option<Kind> {
    match lower {
        "noon" => return Some(Kind::Clock(12, 0)),
        "midnight" => return Some(Kind::Clock(0, 0)),
        _ => {}
    }
    let (body, shift) = match lower.strip_suffix("pm") {
        Some(body) => (body, 12),
        None => (lower.strip_suffix("am").unwrap_or(lower), 0),
    };
    let marked = body.len() != lower.len();
    let (hour, minute) = match body.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute),
        None if marked => (body, "0"),
        _ => return None,
    };
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match (marked, hour) {
        (true, 12) => shift,
        (true, 1..12) => hour + shift,
        _ => hour,
    };
    (hour < 24 && minute < 60).then_some(Kind::Clock(hour, minute))
}

/// `45m`, `2h`, `1d`.
fn minutes(lower: &str) -> Option<Kind> {
    let at = lower.find(|c: char| !c.is_ascii_digit())?;
    let n: i64 = lower[..at].parse().ok()?;
    // "1h30", "1h30m"
    if let Some(rest) =
        lower[at..].strip_prefix('h').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        let more: i64 = rest.trim_end_matches(['m', 'i', 'n']).parse().ok()?;
        return Some(Kind::Minutes(n.saturating_mul(60).saturating_add(more)));
    }
    let unit = match &lower[at..] {
        "m" | "min" | "mins" | "minutes" => 1,
        "h" | "hr" | "hrs" | "hours" => 60,
        "d" | "days" => 24 * 60,
        _ => return None,
    };
    Some(Kind::Minutes(n.saturating_mul(unit)))
}

/// "Two hundred", "one hundred and twenty": words of one number become one.
pub fn join_numbers(tokens: &mut Vec<Token>) {
    let number = |token: &Token| match token.kind {
        Kind::Number(n) if token.raw.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') => Some(n),
        _ => None,
    };
    let mut at = 0;
    while at + 1 < tokens.len() {
        let value = match (number(&tokens[at]), number(&tokens[at + 1])) {
            (Some(n @ 1..100), Some(100)) => Some((n * 100, 2)),
            (Some(n), Some(m @ 1..100)) if n >= 100 && n % 100 == 0 => Some((n + m, 2)),
            (Some(n), None) if n >= 100 && n % 100 == 0 && tokens[at + 1].text == "and" => {
                tokens.get(at + 2).and_then(number).filter(|m| *m < 100).map(|m| (n + m, 3))
            }
            _ => None,
        };
        match value {
            Some((value, taken)) => {
                tokens[at].kind = Kind::Number(value);
                tokens.drain(at + 1..at + taken);
            }
            None => at += 1,
        }
    }
}

/// Ids said without their prefix: `account 0042 and 0043`, `operation 91c2`, `approve b3fj`.
pub fn bare_ids(tokens: &mut [Token]) {
    let mut of_account = false;
    let mut of_instance = false;
    for at in 0..tokens.len() {
        let before = at
            .checked_sub(1)
            .map_or("", |before| tokens[before].text.as_str())
            .trim_end_matches('s')
            .to_owned();
        let token = &tokens[at];
        let text = token.text.clone();
        let plain = matches!(token.kind, Kind::Word | Kind::Number(_));
        let hex = (3..=8).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_hexdigit())
            && text.bytes().any(|b| b.is_ascii_digit());
        let digits = matches!(token.kind, Kind::Number(_)) && token.raw.bytes().all(|b| b.is_ascii_digit());
        let padded = digits && token.raw.len() >= 3 && token.raw.starts_with('0');
        let owned = token.raw.strip_suffix('s').filter(|bare| {
            bare.len() == 4 && bare.starts_with('0') && bare.bytes().all(|b| b.is_ascii_digit())
        });
        let owned = owned.map(|bare| format!("acct-{bare}"));
        let joint = matches!(text.as_str(), "and" | "," | "or");
        let after_account = matches!(before.as_str(), "account" | "acct" | "user" | "customer" | "pair");
        let numbered = at >= 2
            && matches!(before.as_str(), "number" | "no" | "nr")
            && tokens[at - 2].text.starts_with("account");
        let after_account = after_account || numbered;
        let listed = of_account && matches!(before.as_str(), "and" | "," | "or");
        let kind = match before.as_str() {
            _ if owned.is_some() => owned.map(Kind::Account),
            _ if padded || (digits && (after_account || listed)) => {
                Some(Kind::Account(format!("acct-{:0>4}", token.raw)))
            }
            "and" | "," | "or" if of_instance && plain && hex => Some(Kind::Instance(format!("i-{text}"))),
            "instance" if plain && hex => Some(Kind::Instance(format!("i-{text}"))),
            "operation" | "op" if plain && hex => Some(Kind::Operation(format!("op-{text}"))),
            "incident" if plain && hex => Some(Kind::Incident(format!("inc-{text}"))),
            "approve" | "approval" | "code" | "deny" if plain && is_code(&text.to_uppercase()) => {
                Some(Kind::Code(text.to_uppercase()))
            }
            _ => None,
        };
        if let Some(kind) = kind {
            tokens[at].kind = kind;
        }
        of_instance = matches!(tokens[at].kind, Kind::Instance(_)) || (of_instance && joint);
        of_account = matches!(tokens[at].kind, Kind::Account(_)) || (of_account && joint);
    }
}
