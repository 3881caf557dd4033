//! A hub with a registry in memory.

use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{Hub, HubConfig, MemoryRegistry, NodeEvent};
use gf_node_proto::{EnrolmentToken, SigningKey};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

pub struct Fixed;
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[derive(Default)]
pub struct Counting(AtomicU8);
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

pub struct Fleet {
    pub hub: Hub,
    pub events: mpsc::Receiver<NodeEvent>,
    pub registry: Arc<MemoryRegistry>,
}

pub fn fleet() -> Fleet {
    fleet_with_patience(Duration::from_secs(10))
}

pub fn fleet_with_patience(patience: Duration) -> Fleet {
    fleet_with(|config| config.handshake_patience = patience)
}

pub fn fleet_with(change: impl FnOnce(&mut HubConfig)) -> Fleet {
    let registry = Arc::new(MemoryRegistry::default());
    let mut config = HubConfig::new(SigningKey::from_bytes(&[42; 32]), 3);
    config.heartbeat_interval = Duration::from_secs(60);
    config.handshake_patience = Duration::from_secs(10);
    change(&mut config);
    let (hub, events) = Hub::new(config, registry.clone(), Arc::new(Fixed), Arc::new(Counting::default()));
    Fleet { hub, events, registry }
}

impl Fleet {
    pub fn token_for(&self, node: &str) -> EnrolmentToken {
        let token = self.hub.mint_token();
        self.registry.allow(&id(node), &token);
        token
    }

    pub async fn event(&mut self) -> NodeEvent {
        self.events.recv().await.unwrap()
    }
}

pub fn id(node: &str) -> NodeId {
    node.parse().unwrap()
}
