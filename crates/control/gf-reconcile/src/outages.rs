//! The record of a place that is left: opened when the first wave starts, quiet for a stated time, and summed up when
//! the last one has ended.
//!
//! It starts and ends no failover; what is here can be done again without being said twice.

use crate::{Reconcilers, looks::Looks};
use gf_model::{
    IncidentId, NoticeId, Timestamp,
    fleet::Fleet,
    incident::{Incident, IncidentEntry, IncidentState},
    notice::{Notice, Recipient, Severity},
    operation::{LaneState, Operation},
    provider::ProviderStatus,
    verb::{OUTAGE_SILENCE_MINUTES, Outage, Silence, Verb},
};
use gf_store::Tx;
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run(all: Reconcilers) {
    let mut looks = Looks::new(&all.engine.hands().store, EVERY);
    loop {
        if looks.look(|fleet| !due(fleet).is_empty()) {
            keep_up(&all).await;
        }
        if !looks.next().await {
            return;
        }
    }
}

fn title(outage: &Outage) -> String {
    format!("Outage: {}", outage.place())
}

fn began(operation: &Operation) -> String {
    format!("{} began to move them", operation.id)
}

fn ended(operation: &Operation) -> String {
    format!("{} ended: ", operation.id)
}

/// The newest incident of the place, open or not.
fn of_place<'a>(fleet: &'a Fleet, outage: &Outage) -> Option<&'a Incident> {
    let title = title(outage);
    let found = fleet.incidents.values().filter(|incident| incident.title == title);
    found.max_by_key(|incident| incident.opened_at)
}

fn says(incident: &Incident, beginning: &str) -> bool {
    incident.timeline.iter().any(|entry| entry.text.starts_with(beginning))
}

/// What is not in the books yet: whether it began, whether it ended.
fn due(fleet: &Fleet) -> Vec<(&Operation, &Outage)> {
    let all = fleet.operations.values().filter_map(|operation| match &operation.verb {
        Verb::Failover { outage: Some(outage), .. } => Some((operation, outage)),
        _ => None,
    });
    all.filter(|(operation, outage)| {
        let known = of_place(fleet, outage);
        let begins = known.is_none_or(|incident| !says(incident, &began(operation)));
        let ends = operation.finished_at.is_some()
            && known.is_none_or(|incident| !says(incident, &ended(operation)));
        begins || ends
    })
    .collect()
}

async fn keep_up(all: &Reconcilers) {
    let hands = all.engine.hands();
    let (now, bits) = (hands.clock.now(), hands.entropy.next_u64());
    let write = hands.store.update(|fleet, tx| {
        // One at a time: the next look finds the next.
        if let Some((operation, outage)) = due(fleet).first() {
            write_down(fleet, operation, outage, tx, now, bits);
        }
    });
    if let Err(error) = write.await {
        tracing::error!(%error, "an outage could not be written down");
    }
}

fn write_down(fleet: &Fleet, operation: &Operation, outage: &Outage, tx: &mut Tx, now: Timestamp, bits: u64) {
    let known = of_place(fleet, outage)
        .filter(|known| known.state == IncidentState::Open || says(known, &began(operation)));
    let mut incident = known.cloned().unwrap_or_else(|| {
        Incident::opened(IncidentId::from_bits(bits, 8), title(outage), Severity::Critical, now)
    });
    if !says(&incident, &began(operation)) {
        for account in &outage.accounts {
            if !incident.accounts.contains(account) {
                incident.accounts.push(account.clone());
            }
        }
        let status = fleet.providers.get(&outage.provider).map(|provider| match &provider.status {
            ProviderStatus::Incident { title, .. } => format!("it reports {title:?}"),
            ProviderStatus::Ok => "it reports no incident".to_owned(),
            ProviderStatus::Unknown => "it does not say how it is".to_owned(),
        });
        let until = operation.created_at + SignedDuration::from_mins(OUTAGE_SILENCE_MINUTES);
        let text = format!(
            "{}: {} accounts, {} waves; {} was asked and {}; alerts of {} are quiet until {}",
            began(operation),
            outage.accounts.len(),
            operation.stages.len(),
            outage.provider,
            status.unwrap_or_default(),
            outage.place(),
            until.strftime("%H:%M UTC"),
        );
        incident.timeline.push(IncidentEntry { at: now, text });
        tx.put(Silence { scope: outage.scope(), until, reason: title(outage) });
    }
    if operation.finished_at.is_some() && !says(&incident, &ended(operation)) {
        let summary = summary(fleet, operation, outage);
        incident.timeline.push(IncidentEntry { at: now, text: format!("{}{summary}", ended(operation)) });
        tx.put(Notice {
            id: NoticeId::from_bits(bits.rotate_left(32), 8),
            key: format!("outage:{}", operation.id),
            recipient: match &operation.conversation {
                Some(conversation) => Recipient::Conversation { conversation: conversation.clone() },
                None => Recipient::Operators,
            },
            severity: Severity::Warning,
            text: format!("OUTAGE {}: {summary}.", outage.place()),
            look_at: Some(format!("gf_incident_report {}", json!({ "action": "get", "id": incident.id }))),
            created_at: now,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        });
    }
    tx.put(incident);
}

fn summary(fleet: &Fleet, operation: &Operation, outage: &Outage) -> String {
    let count = |wanted: LaneState| {
        fleet.lanes_of(&operation.id).filter(|record| record.lane.state == wanted).count()
    };
    let there = |instance: &&gf_model::instance::Instance| {
        instance.provider == outage.provider
            && outage.region.as_ref().is_none_or(|region| instance.region == *region)
    };
    let left = fleet.gateways.keys().filter(|id| fleet.primary_of(id).filter(there).is_some()).count();
    let queued = fleet
        .gateways
        .keys()
        .filter(|id| fleet.standby_of(id).filter(there).is_some_and(|standby| !standby.is_active()))
        .count();
    format!(
        "{} moved, {} did not; {left} primaries are still at {}; {queued} standbys are built anew when {} recovers",
        count(LaneState::Done),
        fleet.lanes_of(&operation.id).count() - count(LaneState::Done),
        outage.place(),
        outage.provider
    )
}
