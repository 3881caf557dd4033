//! Whether the act is ordered at all, and now: "maybe", "or", "tomorrow", "at nine".

use super::{Told, words};

impl Told<'_> {
    pub(super) fn doubting(&self) -> Option<String> {
        let word = self.first_of(words::DOUBTING).filter(|word| !self.quoted(word))?;
        Some(format!("You said \"{word}\", so I did nothing yet. Please say plainly what I shall do."))
    }

    pub(super) fn later(&self) -> Option<String> {
        // A silence begins now, whenever it shall end.
        let begins = self.slots.clock.is_some() || self.says("starting") || self.says("tomorrow");
        if self.all(&["gf_alerts_silence"]) && begins {
            return Some(
                "I can silence from now on only. Shall I do it now, and for how many minutes?".to_owned(),
            );
        }
        let timed = self.all(&["gf_schedule", "gf_alerts_silence", "gf_incident_report"]);
        let at_once = self.says("at once");
        // "Wait a minute after each batch" is how a push goes on, not when it begins.
        let paced = self.changing.iter().any(|call| !call.arguments["settleSeconds"].is_null());
        let word = self.first_of(words::LATER).filter(|word| {
            !(timed || self.quoted(word) || paced && *word == "after" || at_once && *word == "once")
        });
        let clock = self.slots.clock.is_some() || self.slots.minutes.is_some();
        match word {
            Some(word) => Some(format!(
                "I can't do that at a later time (\"{word}\"); I only schedule reports. Shall I do it now? Then say it without the time."
            )),
            None if clock && !timed && !self.all(&["gf_provision", "gf_config_push"]) => {
                Some("I can't do that at a later time; I only schedule reports. Shall I do it now? Then say it without the time.".to_owned())
            }
            None => None,
        }
    }
}
