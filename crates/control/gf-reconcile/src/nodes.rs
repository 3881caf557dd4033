//! Takes in what nodes report, and acknowledges it when it is durable.

use crate::{Reconcilers, drift::Standings, observe::observe};
use gf_model::Timestamp;
use gf_node_hub::NodeEvent;
use gf_node_proto::event::Kind;
use gf_store::StoreError;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A store that cannot be written to right now is asked again after this.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(all: Reconcilers, mut reports: mpsc::Receiver<NodeEvent>, standings: Standings) {
    let hands = all.engine.hands();
    while let Some(event) = reports.recv().await {
        standings.take_in(&event);
        log(&event);
        let now = hands.clock.now();
        let bits = hands.entropy.next_u64();
        // Most heartbeats change nothing; they must not cost a transaction.
        let changes_something = hands.store.read(|fleet| !observe(fleet, &event, now, bits).is_empty());
        if changes_something {
            // A node tells again what was not acknowledged only when it connects again, and a heartbeat's difference
            // never: what was heard is kept until it can be written down, and the nodes are made to wait.
            while let Err(error) = take_in(&all, &event, now, bits).await {
                tracing::error!(node = %event.node(), %error, "a report could not be written down; trying again");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        if let NodeEvent::Reported { receipt, .. } = event {
            receipt.done();
        }
    }
}

/// Once for each report, unlike the translation of it, which is made again for the write.
fn log(event: &NodeEvent) {
    if let NodeEvent::Reported { event, .. } = event
        && let Some(Kind::Exited(exited)) = &event.kind
    {
        tracing::info!(instance = event.instance_id, detail = exited.detail, "OpenClaw ended");
    }
}

async fn take_in(
    all: &Reconcilers,
    event: &NodeEvent,
    now: Timestamp,
    bits: u64,
) -> Result<(), Arc<StoreError>> {
    let write = all.engine.hands().store.update(|fleet, tx| {
        for change in observe(fleet, event, now, bits) {
            tx.put(change);
        }
    });
    write.await
}
