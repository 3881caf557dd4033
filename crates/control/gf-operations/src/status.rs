//! Asks a provider how it is, and writes down what it says and when it was asked.
//!
//! Whether something may be done about it is for policy to say.

use crate::hands::Hands;
use gf_model::provider::{Provider, ProviderId, ProviderStatus};
use gf_store::StoreError;
use std::{sync::Arc, time::Duration};

/// A provider whose status page does not answer is asked, and unknown.
const PATIENCE: Duration = Duration::from_secs(5);

/// The provider as it is known afterwards; `None` where there is none of that name.
pub async fn ask_status(hands: &Hands, id: &ProviderId) -> Result<Option<Provider>, Arc<StoreError>> {
    let answer = match hands.drivers.for_provider(id) {
        Ok(driver) => match tokio::time::timeout(PATIENCE, driver.status(id)).await {
            Ok(Ok(status)) => Some(status),
            Ok(Err(error)) => {
                tracing::warn!(provider = %id, %error, "its status could not be asked for");
                None
            }
            Err(_) => None,
        },
        Err(_) => None,
    };
    let now = hands.clock.now();
    let write = hands.store.update(|fleet, tx| {
        let mut provider = fleet.providers.get(id)?.clone();
        provider.status_asked_at = Some(now);
        // Silence is no word that an incident is over.
        match (&answer, &provider.status) {
            (Some(status), _) => provider.status = status.clone(),
            (None, ProviderStatus::Incident { .. }) => {}
            (None, _) => provider.status = ProviderStatus::Unknown,
        }
        tx.put(provider.clone());
        Some(provider)
    });
    write.await
}
