//! What a hub needs around it where there is no store: a registry that knows every node, the machine's clock and bits.

use super::node;
use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{Hub, HubConfig, MemoryRegistry, NodeEvent};
use gf_node_proto::SigningKey;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("this machine has random numbers");
    }
}

/// Worth nothing outside a measurement.
pub fn control_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// A hub that knows the first `nodes` nodes by their keys.
pub fn hub(nodes: u32, beat_every: Duration) -> (Hub, mpsc::Receiver<NodeEvent>) {
    let registry = Arc::new(MemoryRegistry::default());
    for nth in 0..nodes {
        registry.know(node::id(nth), node::key(nth).verifying_key());
    }
    let mut config = HubConfig::new(control_key(), 1);
    config.heartbeat_interval = beat_every;
    Hub::new(config, registry, Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// What the reconcilers would have been told.
#[derive(Default)]
pub struct Told {
    pub connected: AtomicUsize,
    pub lost: AtomicUsize,
    pub changed: AtomicUsize,
}

impl Told {
    pub fn by(mut reports: mpsc::Receiver<NodeEvent>) -> Arc<Self> {
        let told = Arc::new(Self::default());
        let counting = Arc::clone(&told);
        tokio::spawn(async move {
            while let Some(report) = reports.recv().await {
                let count = match report {
                    NodeEvent::Connected { .. } => &counting.connected,
                    NodeEvent::Lost { .. } => &counting.lost,
                    NodeEvent::Changed { .. } => &counting.changed,
                    NodeEvent::Reported { receipt, .. } => {
                        receipt.done();
                        continue;
                    }
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        told
    }
}
