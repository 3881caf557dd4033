//! Compares what the providers really have with what the fleet knows, so that nothing is paid for and forgotten.
//!
//! An order that was on its way when its control plane died may arrive after the place was given up and deleted. What
//! stands in the books as deleted is deleted again, with an audit row before it. What nobody here ever ordered is never
//! touched: a store that was lost must not cost the places that it forgot. A person is told.

use crate::Reconcilers;
use gf_model::{
    InstanceId, NoticeId,
    audit::{AuditEntry, AuditPhase},
    fleet::Fleet,
    instance::InstanceState,
    notice::{Notice, Recipient, Severity},
    person::Principal,
    provider::ProviderId,
};
use gf_store::StoreError;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// What a place that a provider has means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Known,
    /// It was deleted, and came into being after that.
    Left,
    /// It carries a label of ours that this fleet never gave.
    Stranger,
}

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    loop {
        tokio::time::sleep(all.cadence.reap).await;
        for provider in hands.store.read(asked_before) {
            sweep(&all, &provider).await;
        }
    }
}

/// Providers that were ever asked for a place; the others can have none of ours.
fn asked_before(fleet: &Fleet) -> BTreeSet<ProviderId> {
    fleet.instances.values().map(|instance| instance.provider.clone()).collect()
}

fn judge(fleet: &Fleet, label: &InstanceId) -> Found {
    match fleet.instances.get(label).map(|known| known.state) {
        None => Found::Stranger,
        Some(InstanceState::Deleted) => Found::Left,
        Some(_) => Found::Known,
    }
}

async fn sweep(all: &Reconcilers, provider: &ProviderId) {
    let hands = all.engine.hands();
    let Ok(driver) = hands.drivers.for_provider(provider) else { return };
    let places = match driver.list(provider).await {
        Ok(places) => places,
        Err(error) => {
            return tracing::warn!(%provider, %error, "what it has could not be listed; looking again later");
        }
    };
    for place in places {
        let outcome = match hands.store.read(|fleet| judge(fleet, &place.label)) {
            Found::Known => Ok(()),
            Found::Left => reap(all, provider, &place.label).await,
            Found::Stranger => tell(all, provider, &place.label).await,
        };
        if let Err(error) = outcome {
            tracing::error!(%provider, label = %place.label, %error, "a sweep could not be written down");
        }
    }
}

async fn reap(all: &Reconcilers, provider: &ProviderId, label: &InstanceId) -> Result<(), Arc<StoreError>> {
    let hands = all.engine.hands();
    let Ok(driver) = hands.drivers.for_provider(provider) else { return Ok(()) };
    if hands.store.read(|fleet| fleet.frozen().is_some()) {
        return Ok(());
    }
    note(all, label, AuditPhase::Started, json!({ "provider": provider })).await?;
    match driver.delete(provider, label).await {
        Ok(()) => note(all, label, AuditPhase::Done, Value::Null).await,
        Err(error) => note(all, label, AuditPhase::Failed, json!({ "error": error.to_string() })).await,
    }
}

async fn note(
    all: &Reconcilers,
    label: &InstanceId,
    phase: AuditPhase,
    detail: Value,
) -> Result<(), Arc<StoreError>> {
    let hands = all.engine.hands();
    let entry = AuditEntry {
        at: hands.clock.now(),
        principal: Principal::Service("reaper".into()),
        action: "place.reap".into(),
        phase,
        targets: vec![label.to_string()],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail,
    };
    hands.store.update(|_, tx| tx.audit(entry)).await.map(drop)
}

/// Said once for as long as notices are kept.
async fn tell(all: &Reconcilers, provider: &ProviderId, label: &InstanceId) -> Result<(), Arc<StoreError>> {
    let hands = all.engine.hands();
    let (now, bits) = (hands.clock.now(), hands.entropy.next_u64());
    let key = format!("stranger:{provider}:{label}");
    if hands.store.read(|fleet| fleet.notices.values().any(|notice| notice.key == key)) {
        return Ok(());
    }
    let notice = Notice {
        id: NoticeId::from_bits(bits, 8),
        key,
        recipient: Recipient::Operators,
        severity: Severity::Critical,
        text: format!(
            "CRITICAL: {provider} has {label}, which this fleet does not know. Nothing was done to it; please look."
        ),
        look_at: None,
        created_at: now,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    };
    hands.store.update(|_, tx| tx.put(notice)).await
}
