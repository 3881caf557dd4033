//! Keeps each provider's seven-day score where plans and alerts read it.

use crate::Reconcilers;
use gf_model::{Timestamp, fleet::Fleet, provider::Provider};
use gf_planner::{score, track};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(60);

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    loop {
        let now = hands.clock.now();
        if !hands.store.read(|fleet| rescored(fleet, now)).is_empty() {
            let write = hands
                .store
                .update(|fleet, tx| rescored(fleet, now).into_iter().for_each(|provider| tx.put(provider)));
            if let Err(error) = write.await {
                tracing::error!(%error, "the providers' scores could not be written down");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Providers whose score is not what it was.
fn rescored(fleet: &Fleet, now: Timestamp) -> Vec<Provider> {
    let counted = track::records(fleet, now);
    let fresh = |provider: &Provider| {
        let found = score::score(&track::combined(&provider.record, counted.get(&provider.id)));
        Provider {
            score: found.map(|score| score.points),
            low_confidence: found.is_none_or(|score| score.low_confidence),
            ..provider.clone()
        }
    };
    let all = fleet.providers.values();
    all.map(|provider| (provider, fresh(provider)))
        .filter(|(old, new)| *old != new)
        .map(|(_, new)| new)
        .collect()
}
