//! What a clause names: ids, counts, tiers, providers, regions, states, times, JSON.
//!
//! A slot holds what was said; whether such a thing exists is for the control plane to know.

use super::{
    Sense,
    hours::{counts_time, duration, of_day, told_time},
    number,
    token::{Kind, Token},
};
use serde_json::Value;

pub const TIERS: [&str; 4] = ["nano", "standard", "pro", "enterprise"];
const PROVIDERS: &[&str] = &[
    "hetzner",
    "vultr",
    "digitalocean",
    "contabo",
    "hostinger",
    "kubernetes",
    "aws",
    "azure",
    "gcp",
    "linode",
    "ovh",
    "scaleway",
];
const REGIONS: &[&str] = &[
    "eu",
    "apac",
    "asia",
    "europe",
    "nuremberg",
    "falkenstein",
    "helsinki",
    "frankfurt",
    "amsterdam",
    "london",
    "paris",
    "stockholm",
    "madrid",
    "warsaw",
    "ashburn",
    "hillsboro",
    "chicago",
    "dallas",
    "miami",
    "seattle",
    "toronto",
    "singapore",
    "tokyo",
    "sydney",
    "mumbai",
    "fsn1",
    "nbg1",
    "hel1",
    "ash",
    "hil",
    "fra1",
    "ams3",
    "nyc1",
    "nyc3",
    "sfo3",
    "lon1",
    "sgp1",
    "tor1",
    "blr1",
    "syd1",
    "atl1",
    "ams",
    "fra",
    "ewr",
    "lhr",
    "cdg",
    "ord",
    "lax",
    "sjc",
    "nrt",
    "us-east",
    "us-west",
    "us-central",
    "eu-west",
    "eu-central",
    "new-jersey",
];
const STATES: &[(&str, &str)] = &[
    ("active", "ACTIVE"),
    ("degraded", "DEGRADED"),
    ("failed", "FAILED"),
    ("bootstrapping", "BOOTSTRAPPING"),
    ("creating", "CREATING"),
    ("draining", "DRAINING"),
    ("parked", "PARKED"),
    ("stopped", "STOPPED"),
    ("promoting", "STANDBY_PROMOTING"),
];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slots {
    pub accounts: Vec<String>,
    pub instances: Vec<String>,
    pub operations: Vec<String>,
    pub archives: Vec<String>,
    pub snapshots: Vec<String>,
    pub incidents: Vec<String>,
    pub codes: Vec<String>,
    /// Each with its place among the tokens.
    pub numbers: Vec<(i64, usize)>,
    pub amounts: Vec<f64>,
    pub ordinals: Vec<i64>,
    pub tiers: Vec<String>,
    pub providers: Vec<Placed>,
    pub regions: Vec<String>,
    pub states: Vec<String>,
    pub quotes: Vec<String>,
    pub models: Vec<String>,
    pub key_paths: Vec<String>,
    pub json: Vec<Value>,
    pub broken_json: Option<String>,
    pub clock: Option<(u8, u8)>,
    pub minutes: Option<i64>,
}

/// A provider, and which half of the pair it is named for.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub provider: String,
    pub role: Option<Sense>,
}

impl Slots {
    pub fn read(tokens: &[Token]) -> Self {
        let mut slots = Self::default();
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| !is_replaced(tokens, *at)) {
            match &token.kind {
                Kind::Account(id) => add(&mut slots.accounts, id),
                Kind::Instance(id) => add(&mut slots.instances, id),
                Kind::Operation(id) => add(&mut slots.operations, id),
                Kind::Archive(id) => add(&mut slots.archives, id),
                Kind::Snapshot(id) => add(&mut slots.snapshots, id),
                Kind::Incident(id) => add(&mut slots.incidents, id),
                Kind::Code(code) => add(&mut slots.codes, code),
                Kind::Number(hour @ 0..24) if told_time(tokens, at) => {
                    slots.clock = Some((of_day(tokens, at, *hour as u8), 0));
                }
                Kind::Number(n) => slots.numbers.push((*n, at)),
                Kind::Amount(amount) => slots.amounts.push(*amount),
                Kind::Quote(text) => slots.quotes.push(text.clone()),
                Kind::ModelName(name) => slots.models.push(name.clone()),
                Kind::KeyPath(path) => slots.key_paths.push(path.clone()),
                Kind::Json(value) => slots.json.push(value.clone()),
                Kind::BrokenJson(problem) => slots.broken_json = Some(problem.clone()),
                Kind::Clock(hour, minute) => slots.clock = Some((*hour, *minute)),
                Kind::Word => slots.word(tokens, at),
                Kind::Break(_) | Kind::Minutes(_) | Kind::Moment(..) => {}
            }
        }
        slots.minutes = duration(tokens).map(|(minutes, _)| minutes);
        slots
    }

    fn word(&mut self, tokens: &[Token], at: usize) {
        let token = &tokens[at];
        let raw = token.raw.to_lowercase();
        let base = raw.split('-').next().unwrap_or(&raw);
        if let Some(tier) =
            TIERS.iter().find(|tier| token.text == **tier || base.strip_suffix('s').unwrap_or(base) == **tier)
        {
            add(&mut self.tiers, tier);
        } else if raw == "std" {
            add(&mut self.tiers, "standard");
        } else if let Some(provider) = provider(token) {
            let role = role_beside(tokens, at);
            self.providers.push(Placed { provider, role });
        } else if REGIONS.contains(&raw.as_str()) || is_country(tokens, at) {
            add(&mut self.regions, if raw == "new-jersey" { "ewr" } else { &raw });
        } else if let Some((_, state)) = STATES.iter().find(|(said, _)| raw == *said || token.text == *said) {
            add(&mut self.states, state);
        } else if !counts_time(tokens, at) {
            self.ordinals.extend(number::ordinal(&raw));
        }
    }

    /// Whether this one word fills a slot.
    pub fn names(token: &Token) -> bool {
        !Self::read(std::slice::from_ref(token)).is_empty()
    }

    pub fn provider(&self) -> Option<&str> {
        self.providers.first().map(|placed| placed.provider.as_str())
    }

    pub fn provider_as(&self, role: Sense) -> Option<&str> {
        self.providers.iter().find(|placed| placed.role == Some(role)).map(|placed| placed.provider.as_str())
    }

    /// Whether it names a thing of the fleet, and not only a number or a time.
    pub fn names_anything(&self) -> bool {
        let numbers = Self {
            numbers: self.numbers.clone(),
            amounts: self.amounts.clone(),
            clock: self.clock,
            minutes: self.minutes,
            quotes: self.quotes.clone(),
            ..Self::default()
        };
        *self != numbers
    }

    /// Whether the clause names anything at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// "In the US instead of the EU": what the other thing stands for is not meant.
fn is_replaced(tokens: &[Token], at: usize) -> bool {
    let text = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text.as_str());
    let from = 1 + usize::from(matches!(text(1), "the" | "in" | "on" | "at" | "a"));
    matches!((text(from + 1), text(from)), ("instead", "of") | ("rather", "than"))
}

/// "US" and "UK", or in lower case where a place must stand: "in the us".
fn is_country(tokens: &[Token], at: usize) -> bool {
    let text = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text.as_str());
    let placed = text(1) == "the" && matches!(text(2), "in" | "from" | "to" | "on");
    // "4 pro, us, vultr primary": a person would not stand alone between commas.
    let alone = at > 0 && tokens[at - 1].is_break() && tokens.get(at + 1).is_none_or(Token::is_break);
    match tokens[at].raw.as_str() {
        "US" | "USA" | "UK" => true,
        "us" | "usa" | "uk" => {
            placed || alone || matches!(tokens[at].raw.as_str(), "usa" | "uk") && text(1) == "in"
        }
        _ => false,
    }
}

fn add(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|known| known == item) {
        list.push(item.to_owned());
    }
}

fn provider(token: &Token) -> Option<String> {
    let raw = token.raw.to_lowercase();
    let local = raw.strip_prefix("local-").is_some_and(|tail| !tail.is_empty());
    if local || PROVIDERS.contains(&raw.as_str()) {
        return Some(raw);
    }
    if token.raw == "DO" {
        return Some("digitalocean".to_owned());
    }
    // "Contabos score"
    let owner = raw.strip_suffix('s').unwrap_or(&raw);
    let known = [token.text.as_str(), owner].into_iter().find(|name| PROVIDERS.contains(name))?;
    Some(known.to_owned())
}

/// `Hetzner primary`, `primary on Vultr`: the role word right after or shortly before the provider.
fn role_beside(tokens: &[Token], at: usize) -> Option<Sense> {
    const LINKS: [&str; 14] =
        ["on", "at", "in", "from", "with", "is", "to", "the", ":", "should", "be", "go", "provider", "as"];
    let role = |token: &Token| [Sense::Primary, Sense::Standby].into_iter().find(|role| token.is(*role));
    let after = tokens.get(at + 1..).unwrap_or_default();
    let link = |t: &&Token| matches!(t.text.as_str(), "as" | "for" | "the" | "only" | "eu" | "us");
    if let Some(found) = after.iter().find(|token| !link(token)).and_then(role) {
        return Some(found);
    }
    tokens[..at].iter().rev().find(|t| !LINKS.contains(&t.text.as_str())).and_then(role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::token::tokens;

    fn slots(text: &str) -> Slots {
        Slots::read(&tokens(text))
    }

    #[test]
    fn providers_know_their_half() {
        let said = [
            "hetzner primary and vultr standby",
            "primary on hetzner, standby on vultr",
            "use hetzner for the primary and vultr as standby",
        ];
        for said in said {
            let found = slots(said);
            assert_eq!(found.provider_as(Sense::Primary), Some("hetzner"), "{said}");
            assert_eq!(found.provider_as(Sense::Standby), Some("vultr"), "{said}");
        }
    }

    #[test]
    fn durations_and_ordinals() {
        assert_eq!(slots("for half an hour").minutes, Some(30));
        assert_eq!(slots("for 2 hours").minutes, Some(120));
        assert_eq!(slots("the second account").ordinals, [2]);
        assert!(slots("last night").ordinals.is_empty());
    }
}
