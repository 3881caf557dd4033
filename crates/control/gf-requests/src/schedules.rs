//! Reports that come by themselves: who may order and cancel them, and the durable entries that follow.
//!
//! An entry only says what is told when; it never changes anything else, so that nobody must agree to it.

use crate::{Caller, Refusal, Requests, approve::settled, ask::person_behind};
use gf_model::{
    ScheduleId, Timestamp,
    audit::AuditEntry,
    fleet::{Fleet, Key},
    notice::Recipient,
    person::{Person, PersonRole, Principal},
    schedule::{Report, Schedule, When},
};
use serde_json::json;

/// A fleet has no more entries than this.
const MOST: usize = 200;

/// Which entry somebody means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Id(ScheduleId),
    /// The only one of its kind.
    Report(Report),
}

impl Requests {
    /// Adds an entry whose reports come where the caller asks. The same entry once more is the one that is there.
    pub async fn schedule(&self, caller: &Caller, what: Report, when: When) -> Result<Schedule, Refusal> {
        let (now, bits) = (self.clock().now(), self.entropy().next_u64());
        let recipient = match &caller.conversation {
            Some(conversation) => Recipient::Conversation { conversation: conversation.clone() },
            None => Recipient::Operators,
        };
        let write = self.store().transact(|fleet, tx| {
            may_schedule(fleet, caller)?;
            let is_same =
                |entry: &&Schedule| entry.what == what && entry.when == when && entry.recipient == recipient;
            if let Some(same) = fleet.schedules.values().find(is_same) {
                return Ok(same.clone());
            }
            if fleet.schedules.len() >= MOST {
                return Err(Refusal::new(422, "too_many_schedules", format!("{MOST} reports are scheduled"))
                    .at("what", what.name())
                    .fix("remove one first"));
            }
            let next_run = when
                .next_after(now)
                .ok_or_else(|| Refusal::new(422, "never_due", "that time never comes").at("when", &when))?;
            let entry = Schedule {
                id: free_id(fleet, bits),
                what,
                when,
                recipient,
                created_by: caller.principal.clone(),
                created_at: now,
                next_run,
                last_run: None,
            };
            tx.audit(row(caller, "schedule.add", &entry, now));
            tx.put(entry.clone());
            Ok(entry)
        });
        settled(write.await)
    }

    /// Removes an entry, and what of it was not told yet.
    pub async fn unschedule(&self, caller: &Caller, which: &Which) -> Result<Schedule, Refusal> {
        let now = self.clock().now();
        let write = self.store().transact(|fleet, tx| {
            may_schedule(fleet, caller)?;
            let entry = meant(fleet, which)?.clone();
            tx.audit(row(caller, "schedule.remove", &entry, now));
            let prefix = entry.notice_prefix();
            let waiting = fleet
                .notices
                .values()
                .filter(|notice| notice.delivered_at.is_none() && notice.key.starts_with(&prefix));
            waiting.for_each(|notice| tx.delete(Key::Notice(notice.id.clone())));
            tx.delete(Key::Schedule(entry.id.clone()));
            Ok(entry)
        });
        settled(write.await)
    }

    /// The person who asks, or in whose own conversation an agent does.
    pub fn person_behind(&self, caller: &Caller) -> Option<Person> {
        self.store().read(|fleet| fleet.people.get(&person_behind(fleet, caller)?).cloned())
    }
}

fn meant<'a>(fleet: &'a Fleet, which: &Which) -> Result<&'a Schedule, Refusal> {
    let report = match which {
        Which::Id(id) => {
            return fleet.schedules.get(id).ok_or_else(|| Refusal::unknown("schedule", id));
        }
        Which::Report(report) => *report,
    };
    let found: Vec<_> = fleet.schedules.values().filter(|entry| entry.what == report).collect();
    match found[..] {
        [only] => Ok(only),
        [] => Err(Refusal::new(404, "unknown_schedule", format!("no {} is scheduled", report.name()))
            .at("what", report.name())),
        _ => {
            let ids: Vec<_> = found.iter().map(|entry| format!("{} ({})", entry.id, entry.when)).collect();
            let what = report.name();
            Err(Refusal::new(409, "ambiguous_schedule", format!("{} of {what} are scheduled", found.len()))
                .at("what", what)
                .fix(format!("say which by its id: {}", ids.join(", "))))
        }
    }
}

fn may_schedule(fleet: &Fleet, caller: &Caller) -> Result<(), Refusal> {
    let may = match &caller.principal {
        Principal::Agent(name) => {
            gf_policy::row(name).is_some_and(|row| matches!(row.agent, "commander" | "briefer"))
        }
        Principal::Person(id) => {
            fleet.people.get(id).is_some_and(|person| !person.disabled && person.role >= PersonRole::Operator)
        }
        Principal::Service(_) => false,
    };
    if may {
        return Ok(());
    }
    Err(Refusal::new(403, "not_permitted", format!("{} may not change what is sent when", caller.principal))
        .fix("an operator, Commander or Briefer can"))
}

fn free_id(fleet: &Fleet, bits: u64) -> ScheduleId {
    let taken = |digits: &usize| !fleet.schedules.contains_key(&ScheduleId::from_bits(bits, *digits));
    ScheduleId::from_bits(bits, (4..16).find(taken).unwrap_or(16))
}

fn row(caller: &Caller, action: &str, entry: &Schedule, at: Timestamp) -> AuditEntry {
    let detail = json!({
        "what": entry.what.name(),
        "when": entry.when,
        "recipient": entry.recipient,
        "nextRun": entry.next_run,
        "trace": caller.trace,
    });
    AuditEntry::noted(at, caller.principal.clone(), action, vec![entry.id.to_string()], detail)
}
