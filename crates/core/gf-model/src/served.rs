//! When an account was not served, and when nobody looked: what the service that it had in a month is worked out from.
//!
//! Only what was otherwise than served is kept. So a time counts as served when the control plane looked and noted
//! nothing else; a time in which it did not look must never become one. Both records are kept under the names of
//! [`Once`], which earlier versions read and keep too.

use crate::{
    AccountId, Timestamp,
    fleet::{Fleet, Once},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Why an account was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LapseKind {
    /// It should have been.
    Down,
    /// A person ordered what it went through.
    Planned,
    /// It had an archive and nothing else.
    Archived,
}

/// From when until when; whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapse {
    pub kind: LapseKind,
    pub from: Timestamp,
    /// Absent while an archive is all that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// An account's own lapses, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceLog {
    /// What was before is no longer known; absent while all is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_since: Option<Timestamp>,
    pub lapses: Vec<Lapse>,
}

/// A time of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// When the control plane looked at who is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watch {
    pub known_since: Timestamp,
    /// What was noted until then is durable.
    pub until: Timestamp,
    /// When it did not, oldest first.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// A year, and the month that it is compared with.
const KEPT_HOURS: i64 = 13 * 31 * 24;
/// More than a pair can lapse while restarts have limits; past this the oldest are no longer known.
const MOST: usize = 1000;
const WATCH: &str = "served";
const LOG: &str = "served:";

/// Whether a record of this name is one of these.
pub fn is_record(key: &str) -> bool {
    key == WATCH || key.starts_with(LOG)
}

/// To the second.
pub fn second(at: Timestamp) -> Timestamp {
    at.round(jiff::Unit::Second).unwrap_or(at)
}

/// What stands under a name; `Err` where it cannot be read.
fn read<T: DeserializeOwned>(fleet: &Fleet, key: &str) -> Option<Result<T, serde_json::Error>> {
    fleet.once.get(key).map(|once| T::deserialize(&once.answer))
}

fn kept<T: Serialize>(key: String, record: &T, now: Timestamp) -> Once {
    // Times and names of kinds are always JSON.
    Once { key, at: now, answer: serde_json::to_value(record).unwrap_or_default() }
}

fn long_ago(now: Timestamp) -> Timestamp {
    now.checked_sub(jiff::SignedDuration::from_hours(KEPT_HOURS)).unwrap_or(Timestamp::MIN)
}

impl ServiceLog {
    /// What is known of an account; nothing at all where its record cannot be read.
    pub fn of(fleet: &Fleet, account: &AccountId) -> Self {
        let unreadable = |_| Self { known_since: Some(Timestamp::MAX), lapses: Vec::new() };
        read(fleet, &format!("{LOG}{account}"))
            .map_or_else(Self::default, |log| log.unwrap_or_else(unreadable))
    }

    pub fn kept(&self, account: &AccountId, now: Timestamp) -> Once {
        kept(format!("{LOG}{account}"), self, now)
    }

    /// Whether an archive is all that there is.
    pub fn is_archived(&self) -> bool {
        self.lapses.last().is_some_and(|last| last.to.is_none())
    }

    /// It is to be served again.
    pub fn is_served_again(&mut self, at: Timestamp) {
        if let Some(last) = self.lapses.last_mut() {
            last.to = last.to.or(Some(at.max(last.from)));
        }
    }

    pub fn note(&mut self, lapse: Lapse, now: Timestamp) {
        self.is_served_again(lapse.from);
        match self.lapses.last_mut() {
            Some(last) if last.kind == lapse.kind && last.to == Some(lapse.from) => last.to = lapse.to,
            _ => self.lapses.push(lapse),
        }
        let before = long_ago(now);
        self.lapses.retain(|lapse| lapse.to.is_none_or(|to| to > before));
        if self.lapses.len() > MOST {
            let forgotten = self.lapses.drain(..self.lapses.len() - MOST).filter_map(|lapse| lapse.to).max();
            self.known_since = self.known_since.max(forgotten);
        }
    }
}

impl Watch {
    /// What is known of the looking; `None` where nobody ever did, or it cannot be read.
    pub fn of(fleet: &Fleet) -> Option<Self> {
        read(fleet, WATCH)?.ok()
    }

    pub fn begun(now: Timestamp) -> Self {
        Self { known_since: now, until: now, gaps: Vec::new() }
    }

    pub fn kept(&self, now: Timestamp) -> Once {
        kept(WATCH.to_owned(), self, now)
    }

    /// It was looked at all the time until now; or not, since the last time.
    pub fn goes_on(&mut self, now: Timestamp, looked: bool) {
        if now <= self.until {
            return;
        }
        if !looked {
            self.gaps.push(Gap { from: self.until, to: now });
        }
        self.until = now;
        let before = long_ago(now);
        self.gaps.retain(|gap| gap.to > before);
        if self.gaps.len() > MOST {
            let forgotten = self.gaps.drain(..self.gaps.len() - MOST).map(|gap| gap.to).max();
            self.known_since = forgotten.map_or(self.known_since, |at| at.max(self.known_since));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn lapse(kind: LapseKind, from: i64, to: i64) -> Lapse {
        Lapse { kind, from: at(from), to: Some(at(to)) }
    }

    #[test]
    fn what_goes_on_is_one_lapse_and_an_archive_ends_when_it_is_served_again() {
        let mut log = ServiceLog::default();
        log.note(lapse(LapseKind::Down, 0, 60), at(60));
        log.note(lapse(LapseKind::Down, 60, 90), at(90));
        log.note(lapse(LapseKind::Planned, 90, 100), at(100));
        log.note(Lapse { kind: LapseKind::Archived, from: at(100), to: None }, at(100));
        assert!(log.is_archived());
        log.note(lapse(LapseKind::Planned, 500, 510), at(510));
        let ends: Vec<_> = log.lapses.iter().map(|lapse| lapse.to.unwrap()).collect();
        assert_eq!(ends, [at(90), at(100), at(500), at(510)]);
        assert!(!log.is_archived());
    }

    #[test]
    fn what_was_forgotten_is_no_longer_known() {
        let mut log = ServiceLog::default();
        for n in 0..MOST as i64 + 2 {
            log.note(lapse(LapseKind::Down, n * 10, n * 10 + 1), at(n * 10));
        }
        assert_eq!((log.lapses.len(), log.known_since), (MOST, Some(at(11))));

        let mut watch = Watch::begun(at(0));
        for n in 1..MOST as i64 + 3 {
            watch.goes_on(at(n), false);
        }
        assert_eq!((watch.gaps.len(), watch.known_since), (MOST, at(2)));
        watch.goes_on(at(-3600), false);
        assert_eq!(watch.until, at(MOST as i64 + 2), "a clock that was set back takes nothing back");
    }

    #[test]
    fn a_record_that_cannot_be_read_says_that_nothing_is_known() {
        let account: AccountId = "acct-0001".parse().unwrap();
        let mut fleet = Fleet::default();
        assert_eq!(ServiceLog::of(&fleet, &account), ServiceLog::default());
        let mut once = ServiceLog::default().kept(&account, at(0));
        once.answer = serde_json::json!({"lapses": 7});
        fleet.apply(once.into());
        assert_eq!(ServiceLog::of(&fleet, &account).known_since, Some(Timestamp::MAX));
        assert_eq!(Watch::of(&fleet), None);
    }
}
