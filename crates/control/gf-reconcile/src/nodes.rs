//! Takes in what nodes report, and acknowledges it when it is durable.

use crate::{Reconcilers, drift::Standings, observe::observe};
use gf_node_hub::NodeEvent;
use gf_node_proto::event::Kind;
use tokio::sync::mpsc;

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
            let write = hands.store.update(|fleet, tx| {
                for change in observe(fleet, &event, now, bits) {
                    tx.put(change);
                }
            });
            if let Err(error) = write.await {
                // Not acknowledged, so the node tells it again.
                tracing::error!(node = %event.node(), %error, "a report could not be written down");
                continue;
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
