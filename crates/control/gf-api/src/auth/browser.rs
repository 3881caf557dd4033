//! How a browser proves that a person let it in: a one-time link from `clawops page`, or their key in the sign-in
//! form. Both end in a cookie that opens the page and nothing else.
//!
//! The page needs this although it only reads: every program on the machine can reach loopback, the fleet's own
//! gateways among them, and a stranger's web page can be made to.

use gf_model::{PersonId, Timestamp, ambient::Entropy};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub const COOKIE: &str = "clawops_page";
/// How long a link may wait to be opened.
pub const LINK_SECONDS: i64 = 120;
/// How long a browser stays signed in.
pub const SESSION_SECONDS: i64 = 12 * 3600;
/// More of either than this at once is no person's doing.
const MOST: usize = 1000;

type Digested = [u8; 32];
type Kept = Mutex<HashMap<Digested, (PersonId, Timestamp)>>;

/// Links and sessions that are good now. In memory: after a restart people sign in again.
#[derive(Default)]
pub struct Browsers {
    links: Kept,
    sessions: Kept,
}

impl Browsers {
    /// A token for a link that lets one browser in, once.
    pub fn link(&self, person: PersonId, now: Timestamp, entropy: &dyn Entropy) -> String {
        issue(&self.links, person, now, LINK_SECONDS, entropy)
    }

    /// Uses a link up: the cookie's value, if the link was good.
    pub fn enter(&self, token: &str, now: Timestamp, entropy: &dyn Entropy) -> Option<String> {
        let (person, until) = self.links.lock().remove(&digest(token))?;
        (now < until).then(|| self.sign_in(person, now, entropy))
    }

    /// A cookie's value for a person who proved who they are.
    pub fn sign_in(&self, person: PersonId, now: Timestamp, entropy: &dyn Entropy) -> String {
        issue(&self.sessions, person, now, SESSION_SECONDS, entropy)
    }

    /// Whose browser sent this cookie.
    pub fn person(&self, cookie: &str, now: Timestamp) -> Option<PersonId> {
        let sessions = self.sessions.lock();
        sessions.get(&digest(cookie)).filter(|(_, until)| now < *until).map(|(person, _)| person.clone())
    }

    pub fn sign_out(&self, cookie: &str) {
        self.sessions.lock().remove(&digest(cookie));
    }
}

fn issue(kept: &Kept, person: PersonId, now: Timestamp, seconds: i64, entropy: &dyn Entropy) -> String {
    let mut secret = [0; 32];
    entropy.fill(&mut secret);
    let token = hex::encode(secret);
    let until = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    let mut kept = kept.lock();
    kept.retain(|_, (_, until)| now < *until);
    if kept.len() >= MOST {
        let oldest = kept.iter().min_by_key(|(_, (_, until))| *until).map(|(token, _)| *token);
        oldest.map(|token| kept.remove(&token));
    }
    kept.insert(digest(&token), (person, until));
    token
}

/// Tokens are looked up by their hash, so that the time of a look-up says nothing about them.
fn digest(token: &str) -> Digested {
    Sha256::digest(token.as_bytes()).into()
}

/// The page's cookie among those that the browser sent.
pub fn cookie_of(headers: &axum::http::HeaderMap) -> Option<&str> {
    let all = headers.get_all(axum::http::header::COOKIE);
    all.iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';')).find_map(|pair| {
        pair.trim().split_once('=').filter(|(name, _)| *name == COOKIE).map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[derive(Default)]
    struct Counting(AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_opens_once_and_not_for_long() {
        let (browsers, entropy) = (Browsers::default(), Counting::default());
        let ada: PersonId = "ada".parse().unwrap();
        let link = browsers.link(ada.clone(), at(0), &entropy);
        let cookie = browsers.enter(&link, at(1), &entropy).unwrap();
        assert_eq!(browsers.person(&cookie, at(2)), Some(ada.clone()));
        assert_eq!(browsers.enter(&link, at(3), &entropy), None);
        let late = browsers.link(ada, at(0), &entropy);
        assert_eq!(browsers.enter(&late, at(LINK_SECONDS), &entropy), None);
        assert_eq!(browsers.person(&cookie, at(SESSION_SECONDS + 2)), None);
    }

    #[test]
    fn a_link_is_not_a_cookie_and_a_cookie_is_not_a_link() {
        let (browsers, entropy) = (Browsers::default(), Counting::default());
        let ada: PersonId = "ada".parse().unwrap();
        let link = browsers.link(ada.clone(), at(0), &entropy);
        assert_eq!(browsers.person(&link, at(1)), None);
        let cookie = browsers.sign_in(ada, at(0), &entropy);
        assert_eq!(browsers.enter(&cookie, at(1), &entropy), None);
        browsers.sign_out(&cookie);
        assert_eq!(browsers.person(&cookie, at(1)), None);
    }
}
