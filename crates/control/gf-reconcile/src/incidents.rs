//! The record of what happened to a pair that lost its primary: opened once, followed, resolved when the pair is whole.
//!
//! Incidents that people or agents opened are never touched here.

use crate::Reconcilers;
use gf_model::{
    AccountId, IncidentId, InstanceId, NoticeId, OperationId, Timestamp,
    fleet::Fleet,
    gateway::Desired,
    incident::{Incident, IncidentEntry, IncidentState},
    instance::Instance,
    notice::{Notice, Recipient, Severity},
};
use gf_store::Tx;
use serde_json::json;

fn title(account: &AccountId) -> String {
    format!("{account} lost its primary")
}

/// The open incident that the control plane itself keeps about an account.
fn open<'a>(fleet: &'a Fleet, account: &AccountId) -> Option<&'a Incident> {
    let title = title(account);
    fleet.incidents.values().find(|incident| incident.state == IncidentState::Open && incident.title == title)
}

fn begin(account: &AccountId, instance: &InstanceId, why: &str, now: Timestamp, bits: u64) -> Incident {
    Incident {
        id: IncidentId::from_bits(bits, 8),
        title: title(account),
        severity: Severity::Warning,
        state: IncidentState::Open,
        accounts: vec![account.clone()],
        instances: vec![instance.clone()],
        timeline: vec![IncidentEntry { at: now, text: why.to_owned() }],
        root_cause: Some(why.to_owned()),
        actions: Vec::new(),
        opened_at: now,
        resolved_at: None,
    }
}

/// Adds what happened, once.
fn add(incident: &mut Incident, at: Timestamp, text: String) {
    if incident.timeline.iter().all(|entry| entry.text != text) {
        incident.timeline.push(IncidentEntry { at, text });
    }
}

/// A failover was started.
pub(crate) async fn failing_over(all: &Reconcilers, account: &AccountId, operation: &OperationId, why: &str) {
    write(all, |fleet, tx, now, bits| {
        let Some(primary) = fleet.gateways.get(account).and_then(|gateway| gateway.primary.clone()) else {
            return;
        };
        let known = open(fleet, account).cloned();
        let mut incident = known.unwrap_or_else(|| begin(account, &primary, why, now, bits));
        add(&mut incident, now, format!("{operation} moves it to its standby"));
        tx.put(incident);
    })
    .await;
}

/// Nothing can be done alone. It is said once in each incident.
pub(crate) async fn call_a_person(all: &Reconcilers, account: &AccountId, instance: &InstanceId, why: &str) {
    let is_known =
        |fleet: &Fleet| open(fleet, account).is_some_and(|known| known.severity == Severity::Critical);
    if all.engine.hands().store.read(is_known) {
        return;
    }
    write(all, |fleet, tx, now, bits| {
        let known = open(fleet, account).cloned();
        let mut incident = known.unwrap_or_else(|| begin(account, instance, why, now, bits));
        if incident.severity == Severity::Critical {
            return;
        }
        incident.severity = Severity::Critical;
        add(&mut incident, now, "there is no ACTIVE standby to move it to; a person was called".to_owned());
        tx.put(Notice {
            id: NoticeId::from_bits(bits.rotate_left(32), 8),
            key: format!("critical:{}", incident.id),
            recipient: Recipient::Operators,
            severity: Severity::Critical,
            text: format!(
                "CRITICAL: {why}, and {account} has no ACTIVE standby. Nothing was done; please look."
            ),
            look_at: Some(format!("gf_pair_status {}", json!({ "accountId": account }))),
            created_at: now,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        });
        tx.put(incident);
    })
    .await;
}

/// Writes into open incidents what became of their pairs.
pub(crate) async fn keep_up(all: &Reconcilers) {
    write(all, |fleet, tx, now, _| followed(fleet, now).into_iter().for_each(|incident| tx.put(incident)))
        .await;
}

/// Our open incidents that have something new.
pub(crate) fn followed(fleet: &Fleet, now: Timestamp) -> Vec<Incident> {
    let ours = |incident: &&Incident| {
        incident.state == IncidentState::Open
            && incident.accounts.first().is_some_and(|account| incident.title == title(account))
    };
    let mut news = Vec::new();
    for incident in fleet.incidents.values().filter(ours) {
        let mut after = incident.clone();
        follow(fleet, &mut after, now);
        if after != *incident {
            news.push(after);
        }
    }
    news
}

fn follow(fleet: &Fleet, incident: &mut Incident, now: Timestamp) {
    let Some(account) = incident.accounts.first().cloned() else { return };
    let Some(gateway) = fleet.gateways.get(&account).filter(|gateway| gateway.desired == Desired::Pair)
    else {
        return resolve(incident, now, "the account was torn down".to_owned());
    };
    if let Some(moved) = gateway.last_failover.as_ref().filter(|moved| moved.at >= incident.opened_at) {
        let memory = match moved.rpo_seconds {
            Some(seconds) => format!("it remembers what was known {seconds} s before"),
            None => "there was no snapshot, so it remembers nothing that was said before".to_owned(),
        };
        add(
            incident,
            moved.at,
            format!("moved from {} to {} in {} ms; {memory}", moved.from, moved.to, moved.took_ms),
        );
        if !incident.instances.contains(&moved.to) {
            incident.instances.push(moved.to.clone());
        }
    }
    if let Some(primary) = fleet.primary_of(&account).filter(|primary| primary.is_active())
        && let Some(standby) = fleet.standby_of(&account).filter(|standby| standby.is_active())
    {
        let text = format!("the pair is whole again: {} serves, {} stands by", primary.id, standby.id);
        resolve(incident, now, text);
    }
}

fn resolve(incident: &mut Incident, now: Timestamp, text: String) {
    add(incident, now, text);
    incident.state = IncidentState::Resolved;
    incident.resolved_at = Some(now);
}

async fn write(all: &Reconcilers, decide: impl FnOnce(&Fleet, &mut Tx, Timestamp, u64)) {
    let hands = all.engine.hands();
    let (now, bits) = (hands.clock.now(), hands.entropy.next_u64());
    if let Err(error) = hands.store.update(|fleet, tx| decide(fleet, tx, now, bits)).await {
        tracing::error!(%error, "an incident could not be written down");
    }
}

/// Whether nobody is served: the primary does not answer under its channels.
pub(crate) fn is_served(primary: Option<&Instance>) -> bool {
    primary.is_some_and(|primary| primary.is_active() && primary.channels_on)
}
