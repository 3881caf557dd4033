//! Asks a provider that reports an incident, again and again, whether it is over; and one about which the breaker of
//! the failovers wants a second witness.
//!
//! A provider that is well is not asked without a reason.

use crate::Reconcilers;
use gf_model::{
    NoticeId, Timestamp,
    fleet::Fleet,
    notice::{Notice, Recipient, Severity},
    provider::{Provider, ProviderId, ProviderStatus},
};
use gf_operations::ask_status;
use jiff::SignedDuration;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(60);
/// A provider is asked at most so often.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

pub(crate) async fn run(all: Reconcilers) {
    loop {
        tokio::time::sleep(EVERY).await;
        for id in all.engine.hands().store.read(troubled) {
            ask(&all, &id).await;
        }
    }
}

fn troubled(fleet: &Fleet) -> Vec<ProviderId> {
    let reports = |provider: &&Provider| matches!(provider.status, ProviderStatus::Incident { .. });
    fleet.providers.values().filter(reports).map(|provider| provider.id.clone()).collect()
}

/// Asks it unless it was asked just now, and tells when an incident is over.
pub(crate) async fn ask(all: &Reconcilers, id: &ProviderId) {
    let hands = all.engine.hands();
    let now = hands.clock.now();
    let Some(before) = hands.store.read(|fleet| fleet.providers.get(id).cloned()) else { return };
    // What lies in the future was asked under a clock that was ahead.
    if before.status_asked_at.is_some_and(|at| at <= now && now.duration_since(at) < PAUSE) {
        return;
    }
    match ask_status(hands, id).await {
        Ok(Some(after)) => {
            if matches!(before.status, ProviderStatus::Incident { .. }) && after.status == ProviderStatus::Ok
            {
                recovered(all, &after, now).await;
            }
        }
        Ok(None) => {}
        Err(error) => tracing::error!(provider = %id, %error, "what it says could not be written down"),
    }
}

async fn recovered(all: &Reconcilers, provider: &Provider, now: Timestamp) {
    let hands = all.engine.hands();
    let bits = hands.entropy.next_u64();
    let write = hands.store.update(|fleet, tx| {
        let lacks = fleet.gateways.values().filter(|gateway| {
            fleet.standby(gateway).is_some_and(|standby| standby.provider == provider.id && !standby.is_active())
        });
        tx.put(Notice {
            id: NoticeId::from_bits(bits, 8),
            key: format!("recovered:{}:{now}", provider.id),
            recipient: Recipient::Operators,
            severity: Severity::Info,
            text: format!(
                "RECOVERED: {} reports no incident any more. {} standbys that were lost there are built anew.",
                provider.id,
                lacks.count()
            ),
            look_at: Some(format!("gf_provider_health {}", serde_json::json!({ "provider": provider.id }))),
            created_at: now,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        });
    });
    if let Err(error) = write.await {
        tracing::error!(%error, "that a provider recovered could not be written down");
    }
}
