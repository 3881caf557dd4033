//! Whether it is plain who is meant: ranges, exceptions, "the others", "there", half of a pair.

use super::{Told, holds, is_wide, words};
use crate::language::{Clause, Kind, Sense, Slots, Token};
use serde_json::Value;

impl Told<'_> {
    pub(super) fn taken_back(&self) -> Option<String> {
        let exempt = self.all(&[
            "gf_provider_policy",
            "gf_alerts_silence",
            "gf_schedule",
            "gf_incident_report",
            "gf_provision",
        ]) || self.changing.iter().any(|call| call.arguments["archive"] == Value::Bool(false));
        // "Not just in Nuremberg" takes nothing out.
        let widens = self.all(&["gf_failover"]) && (self.says("not just") || self.says("not only"));
        let word = self.first_of(words::TAKING_BACK).filter(|_| !exempt && !widens)?;
        Some(format!(
            "I am not sure what \"{word}\" takes out of that, so I did nothing yet. Which do you mean, by id?"
        ))
    }

    /// "5 accounts, but not at Contabo": a place or tier that is not wanted must not be in the plan.
    pub(super) fn unwanted(&self) -> Option<String> {
        const AGAINST: [&str; 9] =
            ["not", "no", "never", "avoid", "avoiding", "except", "without", "excluding", "but not"];
        let named = |token: &Token| {
            let slots = Slots::read(std::slice::from_ref(token));
            !(slots.providers.is_empty() && slots.regions.is_empty() && slots.tiers.is_empty())
        };
        let odd = self.said.iter().enumerate().find_map(|(at, token)| {
            let against = AGAINST.contains(&token.text.as_str());
            let after = self.said[at + 1..].iter().take(4).take_while(|next| !next.is_break());
            after.into_iter().find(|next| against && named(next))
        });
        odd.filter(|_| self.all(&["gf_provision"])).map(|odd| {
            format!(
                "I can't plan around \"{}\". Please say where they shall be instead; I did nothing yet.",
                odd.raw
            )
        })
    }

    /// "acct-0001 to acct-0009", "10 to 20": the things between were not named.
    pub(super) fn range(&self) -> Option<String> {
        let id =
            |token: &Token| matches!(token.kind, Kind::Account(_) | Kind::Instance(_) | Kind::Operation(_));
        let number = |token: &Token| matches!(token.kind, Kind::Number(_));
        let ranged = self.said.windows(3).any(|three| {
            let ends = id(&three[0]) && id(&three[2]) || number(&three[0]) && number(&three[2]);
            ends && matches!(three[1].text.as_str(), "to" | "through" | "till" | "until" | "-" | "thru")
        });
        ranged.then(|| "I take no ranges. Please name every one that you mean; I did nothing yet.".to_owned())
    }

    pub(super) fn others(&self) -> Option<String> {
        let exempt = self.all(&["gf_provision", "gf_schedule", "gf_incident_report"]);
        // A canary ends with "the rest", which is everybody.
        let canary = self.changing.iter().any(|call| call.arguments["strategy"] == "canary");
        let word = self.first_of(words::OTHERS).filter(|word| !(exempt || canary && *word == "rest"));
        let narrowed = self.all(&["gf_provider_policy"])
            && self.says("for")
            && self.said.iter().any(|token| token.is(Sense::Account))
            && !self.says("new");
        if narrowed {
            return Some("A provider is paused for all new instances, or for none. Shall I pause it for all? Then say it without the rest.".to_owned());
        }
        word.map(|word| {
            format!("I am not sure which \"{word}\" means, so I did nothing yet. Please name it by id.")
        })
    }

    /// "The primary of acct-0042" is half of what the account is.
    pub(super) fn half(&self) -> Option<String> {
        let is = |sense| self.said.iter().any(|token| token.is(sense));
        let restarts = self.changing.iter().find(|call| call.tool == "gf_bulk_restart");
        let other_half = match restarts {
            Some(call) => {
                let filter = &call.arguments["filter"];
                // "The primary of one and the standby of the other" is not all four.
                let several = filter["accountIds"].as_array().is_some_and(|ids| ids.len() > 1);
                let halves = (is(Sense::Primary), is(Sense::Standby));
                let unlike = halves.0 != halves.1 || halves.0 && several && !self.says("both");
                filter.is_object() && filter["role"].is_null() && unlike
            }
            None => self.all(&["gf_teardown"]) && is(Sense::Primary),
        };
        other_half.then(|| {
            "Only the primary or only the standby? Please name the instance by its id; I did nothing yet."
                .to_owned()
        })
    }

    /// "There" is a place, which then must be in the call.
    pub(super) fn place(&self) -> Option<String> {
        let there = self.said.iter().any(|token| token.is(Sense::Place));
        let placed = self.calls.iter().any(|call| {
            let filter = &call.arguments["filter"];
            !filter["provider"].is_null() || !filter["region"].is_null()
        });
        let wide = self.changing.iter().any(|call| is_wide(call));
        (there && wide && !placed).then(|| {
            "Where is \"there\"? Please name the provider or the region; I did nothing yet.".to_owned()
        })
    }

    /// An id that stands in the explanation only ("restart i-7f3a, it talks to i-0b0b") must not be acted upon.
    pub(super) fn only_explained(&self, clause: &Clause) -> Option<String> {
        let before = [&self.slots.accounts, &self.slots.instances, &self.slots.operations];
        let all = [&clause.slots.accounts, &clause.slots.instances, &clause.slots.operations];
        let named = before.iter().any(|ids| !ids.is_empty());
        let after =
            all.iter().zip(before).flat_map(|(all, before)| all.iter().filter(|id| !before.contains(id)));
        let odd = after
            .into_iter()
            .find(|id| named && self.changing.iter().any(|call| holds(&call.arguments, id)))?;
        Some(format!(
            "I am not sure whether {odd} is meant too, so I did nothing yet. Please name exactly which."
        ))
    }
}
