//! Sends scheduled reports when they are due: by a notice, on the same way as everything else that people are told.
//!
//! Runs that were missed while nobody was there are made up by one. The notice, the next time and the audit row are
//! one durable write, so that a report is never sent twice for one time.

use crate::{Reconcilers, looks::Looks};
use gf_model::{
    NoticeId, Timestamp,
    audit::AuditEntry,
    fleet::{Fleet, Key},
    notice::{Notice, Severity},
    person::Principal,
    schedule::Schedule,
};
use gf_store::Tx;
use serde_json::json;
use std::time::Duration;

/// The longest time between two looks: a clock that was set is seen within it.
const EVERY: Duration = Duration::from_secs(30);

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    let mut looks = Looks::new(&hands.store, EVERY);
    loop {
        let now = hands.clock.now();
        // What a freeze held back is made up by one when it ends.
        if looks.look(|fleet| fleet.frozen().is_none() && due(fleet, now).next().is_some()) {
            let bits = hands.entropy.next_u64();
            let write = hands.store.update(|fleet, tx| {
                if fleet.frozen().is_some() {
                    return;
                }
                for (nth, schedule) in due(fleet, now).enumerate() {
                    send(fleet, tx, schedule, now, bits.wrapping_add(nth as u64));
                }
            });
            if let Err(error) = write.await {
                tracing::error!(%error, "scheduled reports could not be sent; looking again soon");
            }
        }
        let soonest = looks.look(|fleet| soonest(fleet).filter(|_| fleet.frozen().is_none()));
        if !looks.within(until_next(&soonest, hands.clock.now())).await {
            return;
        }
    }
}

pub(crate) fn due(fleet: &Fleet, now: Timestamp) -> impl Iterator<Item = &Schedule> {
    fleet.schedules.values().filter(move |schedule| schedule.next_run <= now)
}

fn soonest(fleet: &Fleet) -> Option<Timestamp> {
    fleet.schedules.values().map(|schedule| schedule.next_run).min()
}

/// How long nothing needs to be looked at; what failed is not tried again at once.
fn until_next(soonest: &Option<Timestamp>, now: Timestamp) -> Duration {
    let left = soonest.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    left.unwrap_or(EVERY).clamp(Duration::from_millis(100), EVERY)
}

fn send(fleet: &Fleet, tx: &mut Tx, schedule: &Schedule, now: Timestamp, bits: u64) {
    let prefix = schedule.notice_prefix();
    // One that nobody could be told yet looks at the newest numbers anyway when it is told.
    let waits =
        fleet.notices.values().any(|notice| notice.delivered_at.is_none() && notice.key.starts_with(&prefix));
    if !waits {
        tx.put(notice(schedule, now, bits));
    }
    tx.audit(AuditEntry::noted(
        now,
        Principal::Service("schedules".into()),
        "schedule.run",
        vec![schedule.id.to_string()],
        json!({ "what": schedule.what.name(), "due": schedule.next_run, "told": !waits }),
    ));
    match schedule.after_run(now) {
        Some(next) => tx.put(next),
        None => tx.delete(Key::Schedule(schedule.id.clone())),
    }
}

fn notice(schedule: &Schedule, now: Timestamp, bits: u64) -> Notice {
    Notice {
        id: NoticeId::from_bits(bits, 8),
        key: format!("{}{}", schedule.notice_prefix(), schedule.next_run),
        recipient: schedule.recipient.clone(),
        severity: Severity::Info,
        text: format!(
            "This is the scheduled {}.\nIt is sent by {} ({}) and was due at {}.",
            schedule.what.name(),
            schedule.id,
            schedule.when,
            schedule.next_run
        ),
        look_at: Some(schedule.what.look_at().to_owned()),
        created_at: now,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    }
}
