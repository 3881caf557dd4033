//! Whether every name, number and word that was said is in the calls.

use super::{Told, is_wide, words, words::lists};
use crate::language::{Kind, Lexicon, Slots, Token, duration};

impl Told<'_> {
    /// Names and numbers that were said and are in none of the calls.
    pub(super) fn left_over(&self) -> Option<String> {
        let slots = &self.slots;
        let by_id = self.names_targets();
        let incident = self.all(&["gf_incident_report", "gf_schedule"]);
        let resizes = self.all(&["gf_tier_resize"]) && self.says("from");
        let mut named: Vec<&str> = Vec::new();
        for ids in [
            &slots.accounts,
            &slots.instances,
            &slots.operations,
            &slots.archives,
            &slots.snapshots,
            &slots.codes,
        ] {
            named.extend(ids.iter().map(String::as_str));
        }
        if !by_id || self.all(&["gf_provision"]) {
            let widened = self.says("not just") || self.says("not only");
            named.extend(slots.regions.iter().map(String::as_str).filter(|_| !widened));
            // Of "Hetzner Nuremberg" the region says it all.
            let placed = self.all(&["gf_alerts_silence"]) && !slots.regions.is_empty();
            named.extend(slots.providers.iter().map(|placed| placed.provider.as_str()).filter(|_| !placed));
        }
        if !by_id {
            named.extend(slots.states.iter().map(String::as_str).filter(|state| *state != "ACTIVE"));
        }
        if !resizes {
            named.extend(slots.tiers.iter().map(String::as_str));
        }
        let odd = named.into_iter().find(|name| !incident && !self.mirrored(name) && !self.quoted(name));
        if let Some(odd) = odd {
            return Some(format!(
                "I am not sure what \"{odd}\" is to do with it, so I did nothing yet. Please say it in other words."
            ));
        }
        let number = slots
            .numbers
            .iter()
            .map(|(n, at)| (*n, at, &self.said[*at]))
            .find(|(n, at, token)| {
                !incident
                    && token.text != "one"
                    && !self.explained(**at)
                    && !self.counted(*n)
                    && !self.quoted(&token.raw)
            })
            .map(|(n, _, token)| (n, token));
        number.map(|(_, token)| {
            format!(
                "I am not sure what \"{}\" counts there, so I did nothing yet. Please say it in other words.",
                token.raw
            )
        })
    }

    /// A length of time, the size of what was listed ("the second of the two"), or a count that was corrected at once.
    pub(super) fn explained(&self, at: usize) -> bool {
        let text =
            |at: Option<usize>| at.and_then(|at| self.said.get(at)).map_or("", |token| token.text.as_str());
        let time = duration(self.said).is_some_and(|(_, said)| said.contains(&at));
        let of_the = text(at.checked_sub(1)) == "the"
            && text(at.checked_sub(2)) == "of"
            && !self.slots.ordinals.is_empty();
        let corrected = ["actually", "rather", "instead", "mean", "no"].iter().any(|word| self.says(word));
        time || of_the || corrected
    }

    /// "Two hunnert accounts": a word beside a number that may be part of it.
    pub(super) fn odd_number(&self) -> Option<String> {
        let number = |token: &Token| matches!(token.kind, Kind::Number(_));
        let odd = |token: &Token| {
            token.kind == Kind::Word
                && token.senses.is_empty()
                && token.text.len() > 3
                && !Lexicon::get().is_english(&token.text)
                && !Slots::names(token)
        };
        let pair = self
            .said
            .windows(2)
            .find(|pair| number(&pair[0]) && odd(&pair[1]) || odd(&pair[0]) && number(&pair[1]))?;
        let word = if odd(&pair[0]) { &pair[0].raw } else { &pair[1].raw };
        self.all(&["gf_provision"]).then(|| format!("I am not sure what \"{word}\" counts there, so I did nothing yet. Please give the number in digits."))
    }

    /// A word that nobody knows, where it may say who is meant.
    pub(super) fn unknown_word(&self) -> Option<String> {
        let lexicon = Lexicon::get();
        let wide = self.changing.iter().any(|call| is_wide(call)) && !self.names_targets();
        let odd = self.said.iter().find(|token| {
            let plain_word = token.kind == Kind::Word && token.senses.is_empty() && token.text.len() > 1;
            let known = lists(words::PLAIN, token.text.as_str())
                || lists(words::PLAIN, token.raw.to_lowercase().as_str())
                || Slots::names(token)
                || self.mirrored(&token.text)
                || self.mirrored(&token.raw)
                || self.quoted(&token.raw);
            plain_word && !known && (wide || near_a_limit(lexicon, &token.text))
        })?;
        Some(format!(
            "I am not sure what \"{}\" means there, so I did nothing yet. Please say it in other words.",
            odd.raw
        ))
    }
}

/// A word that is no English and looks like one that would take something back.
fn near_a_limit(lexicon: &Lexicon, word: &str) -> bool {
    const LIMITS: [&str; 10] =
        ["not", "don't", "without", "except", "unless", "until", "never", "tomorrow", "standby", "only"];
    !lexicon.is_english(word)
        && word.len() >= 3
        && LIMITS.iter().any(|limit| crate::language::distance(word, limit) <= 1 + limit.len() / 6)
}
