//! Takes in what nodes report, and acknowledges it when it is durable.
//!
//! What waits is written down together: after a restart every node of the fleet tells of itself at once.

use crate::{Reconcilers, drift::Standings, observe::observe};
use gf_model::{
    Timestamp,
    fleet::{Change, Fleet},
    node::Node,
};
use gf_node_hub::NodeEvent;
use gf_node_proto::event::Kind;
use gf_store::{FleetStore, StoreError};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A store that cannot be written to right now is asked again after this.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Reports that are written down together at most.
const TOGETHER: usize = 512;

/// A report, when it was heard, and fresh bits for what it may cause.
struct Heard {
    event: NodeEvent,
    at: Timestamp,
    bits: u64,
}

impl Heard {
    fn means(&self, fleet: &Fleet) -> Vec<Change> {
        observe(fleet, &self.event, self.at, self.bits)
    }
}

pub(crate) async fn run(all: Reconcilers, mut reports: mpsc::Receiver<NodeEvent>, standings: Standings) {
    let hands = all.engine.hands();
    let mut waiting = Vec::with_capacity(TOGETHER);
    while reports.recv_many(&mut waiting, TOGETHER).await > 0 {
        let heard = waiting.drain(..).map(|event| {
            standings.take_in(&event);
            log(&event);
            Heard { event, at: hands.clock.now(), bits: hands.entropy.next_u64() }
        });
        let mut heard: Vec<Heard> = heard.collect();
        while !heard.is_empty() {
            let later = heard.split_off(independent(&heard));
            take_in(&all, heard).await;
            heard = later;
        }
    }
}

/// A control plane that has just started is connected to nobody, whatever the last one was.
pub async fn forget_connections(store: &FleetStore, now: Timestamp) -> Result<(), Arc<StoreError>> {
    let write = store.update(|fleet, tx| {
        for node in fleet.nodes.values().filter(|node| node.connected) {
            tx.put(Node { connected: false, last_change: now, ..node.clone() });
        }
    });
    write.await
}

/// How many of the first reports are each about something else: what one means must not depend on another that is not
/// written down yet.
fn independent(heard: &[Heard]) -> usize {
    let mut subjects = HashSet::new();
    let repeats = |event: &NodeEvent| match event {
        NodeEvent::Connected { node, .. } | NodeEvent::Lost { node, .. } => {
            !subjects.insert(node.to_string())
        }
        NodeEvent::Reported { event, .. } => !subjects.insert(event.instance_id.clone()),
        NodeEvent::Changed { changed, .. } => {
            // All of them are entered, also after the first that repeats.
            let fresh = changed.iter().filter(|summary| subjects.insert(summary.instance_id.clone()));
            fresh.count() < changed.len()
        }
    };
    let first = heard.iter().map(|heard| &heard.event).map(repeats).position(|repeats| repeats);
    // One that names an instance twice is still one report.
    first.unwrap_or(heard.len()).max(1)
}

/// Writes down what these mean, and acknowledges them.
async fn take_in(all: &Reconcilers, heard: Vec<Heard>) {
    let store = &all.engine.hands().store;
    // Most heartbeats change nothing; they must not cost a transaction.
    let news: Vec<&Heard> =
        store.read(|fleet| heard.iter().filter(|heard| !heard.means(fleet).is_empty()).collect());
    while !news.is_empty() {
        let write = store.update(|fleet, tx| {
            news.iter().flat_map(|heard| heard.means(fleet)).for_each(|change| tx.put(change));
        });
        // A node tells again what was not acknowledged only when it connects again, and a heartbeat's difference
        // never: what was heard is kept until it can be written down, and the nodes are made to wait.
        match write.await {
            Ok(()) => break,
            Err(error) => {
                let reports = news.len();
                tracing::error!(reports, %error, "reports of nodes could not be written down; trying again");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
    }
    for Heard { event, .. } in heard {
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

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::InstanceSummary;

    fn heard(event: NodeEvent) -> Heard {
        Heard { event, at: Timestamp::UNIX_EPOCH, bits: 0 }
    }

    fn lost(node: &str) -> Heard {
        heard(NodeEvent::Lost { node: node.parse().unwrap(), why: String::new(), at: Timestamp::UNIX_EPOCH })
    }

    fn changed(node: &str, instances: &[&str]) -> Heard {
        let summary = |id: &&str| InstanceSummary { instance_id: (*id).to_owned(), ..Default::default() };
        heard(NodeEvent::Changed {
            node: node.parse().unwrap(),
            at: Timestamp::UNIX_EPOCH,
            changed: instances.iter().map(summary).collect(),
            gone: Vec::new(),
            resources: None,
        })
    }

    #[test]
    fn what_is_about_the_same_thing_is_not_judged_together() {
        let all =
            [lost("node-a"), changed("node-a", &["i-1", "i-2"]), lost("node-b"), changed("node-c", &["i-2"])];
        assert_eq!(independent(&all), 3);
        assert_eq!(independent(&all[2..]), 2);
        assert_eq!(independent(&[lost("node-a"), lost("node-a")]), 1);
        assert_eq!(independent(&[changed("node-a", &["i-1", "i-1"])]), 1, "it is judged, however odd it is");
    }
}
