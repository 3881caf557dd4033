//! What sounds or looks like a secret, for whoever hides it and for whoever refuses to take it.
//!
//! It errs on the side of secrets: a key that sounds like one is one whatever its value is.

const SECRET_KEYS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "apikey",
    "api_key",
    "authorization",
    "credential",
    "privatekey",
    "cookie",
];
/// How secrets of well-known makers begin.
pub const BEGINNINGS: [&str; 11] =
    ["sk-", "xoxb-", "xoxp-", "xapp-", "ghp_", "github_pat_", "gfn_", "whsec_", "eyJ", "AKIA", "glpat-"];

/// Whether what stands under this key is one.
pub fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "");
    // `maxTokens` counts, it does not open anything.
    !key.ends_with("tokens") && SECRET_KEYS.iter().any(|word| key.contains(word))
}

/// Whether a text is one, whatever it stands under.
pub fn looks_secret(text: &str) -> bool {
    BEGINNINGS.iter().any(|start| text.starts_with(start) && text.len() >= start.len() + 8)
        || looks_like_bot_token(text)
}

/// `123456789:AA…`, as Telegram makes them.
fn looks_like_bot_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, rest)| {
        id.len() >= 6 && id.bytes().all(|b| b.is_ascii_digit()) && rest.len() >= 20 && !rest.contains(' ')
    })
}
