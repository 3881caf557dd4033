//! Signs the head of the audit chain at intervals and keeps it outside the store, so that a cut tail is seen.

use crate::Reconcilers;

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    loop {
        tokio::time::sleep(all.cadence.heads).await;
        if let Err(error) = hands.store.sign_head_if_due(hands.clock.now()).await {
            tracing::error!(%error, "the head of the audit chain could not be signed");
        }
    }
}
