//! The sentences of rules, in which `{users}` stands for what was counted.

use gf_policy::Asked;

type Fill = fn(&Asked<'_>) -> String;

/// What a sentence may name.
const NAMES: [(&str, Fill); 14] = [
    ("who", |asked| asked.principal.to_string()),
    ("act", |asked| asked.verb.replace('_', " ")),
    ("users", |asked| asked.facts.users.to_string()),
    ("names", |asked| asked.facts.names()),
    ("accounts", |asked| asked.facts.accounts.to_string()),
    ("instances", |asked| asked.facts.instances.to_string()),
    ("unvalidated", |asked| asked.facts.unvalidated.to_string()),
    ("minutes", |asked| asked.facts.minutes.to_string()),
    ("costDelta", |asked| asked.facts.cost_delta.to_string()),
    ("costPercent", |asked| asked.facts.cost_percent().unwrap_or_else(|| "unknown".to_owned())),
    ("monthlyBefore", |asked| asked.facts.monthly_before.to_string()),
    ("failoversRunning", |asked| asked.facts.failovers_running.to_string()),
    ("failoversLately", |asked| asked.facts.failovers_lately.to_string()),
    ("failoversAllowed", |asked| asked.facts.failovers_allowed.to_string()),
];

#[derive(Debug, Clone)]
pub(crate) struct Sentence(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// A place in [`NAMES`].
    Name(usize),
}

impl Sentence {
    /// Fails with the name that nothing was counted for.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { return Err(after.to_owned()) };
            let place = NAMES.iter().position(|(known, _)| *known == name).ok_or_else(|| name.to_owned())?;
            parts.extend([Part::Text(before.to_owned()), Part::Name(place)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub(crate) fn say(&self, asked: &Asked<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Name(place) => NAMES[*place].1(asked),
        };
        self.0.iter().map(part).collect()
    }
}

/// All that a sentence may name, for whoever wrote another name.
pub(crate) fn known() -> String {
    NAMES.map(|(name, _)| format!("{{{name}}}")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::person::Principal;
    use gf_policy::Facts;

    fn say(text: &str) -> Result<String, String> {
        let facts = Facts { users: 12, cost_delta: 2_300, monthly_before: 10_000, ..Facts::default() };
        let principal = Principal::Agent("commander".into());
        let asked = Asked { principal: &principal, role: None, verb: "config_push", facts: &facts };
        Sentence::parse(text).map(|sentence| sentence.say(&asked))
    }

    #[test]
    fn what_was_counted_stands_in_the_sentence() {
        assert_eq!(say("{who} may not {act}").unwrap(), "agent commander may not config push");
        assert_eq!(say("{users} users, +{costPercent} %").unwrap(), "12 users, +23.0 %");
        assert_eq!(say("plain").unwrap(), "plain");
        assert_eq!(say("{nobody} knows").unwrap_err(), "nobody");
        assert_eq!(say("{users").unwrap_err(), "users");
    }
}
