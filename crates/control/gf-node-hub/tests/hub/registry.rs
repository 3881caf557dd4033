//! A hub with a registry in memory.

use async_trait::async_trait;
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{EnrolRefusal, Hub, HubConfig, MemoryRegistry, NodeEvent, NodeRegistry, RegistryError};
use gf_node_proto::{EnrolmentToken, SigningKey, VerifyingKey};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

/// Stands still until it is set: seconds since 1970.
#[derive(Default)]
pub struct Moment(AtomicU64);

impl Moment {
    pub fn set(&self, second: u64) {
        self.0.store(second, Ordering::Relaxed);
    }
}

impl Clock for Moment {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed) as i64).unwrap()
    }
}

#[derive(Default)]
pub struct Counting(AtomicU8);
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// Knows nobody any more, and hears whoever proves a key.
struct Lost;

#[async_trait]
impl NodeRegistry for Lost {
    async fn key_of(&self, _: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        Ok(None)
    }

    async fn hears_strangers(&self) -> bool {
        true
    }

    async fn enrol(
        &self,
        _: &NodeId,
        _: [u8; 32],
        _: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        Ok(Err(EnrolRefusal::TokenUnknown))
    }
}

pub struct Fleet {
    pub hub: Hub,
    pub events: mpsc::Receiver<NodeEvent>,
    pub registry: Arc<MemoryRegistry>,
    pub clock: Arc<Moment>,
    entropy: Arc<Counting>,
}

pub fn fleet() -> Fleet {
    fleet_with_patience(Duration::from_secs(10))
}

pub fn fleet_with_patience(patience: Duration) -> Fleet {
    fleet_with(|config| config.handshake_patience = patience)
}

pub fn fleet_with(change: impl FnOnce(&mut HubConfig)) -> Fleet {
    let registry = Arc::new(MemoryRegistry::default());
    let (clock, entropy) = (Arc::new(Moment::default()), Arc::new(Counting::default()));
    let (hub, events) = hub(registry.clone(), &clock, &entropy, change);
    Fleet { hub, events, registry, clock, entropy }
}

fn hub(
    registry: Arc<dyn NodeRegistry>,
    clock: &Arc<Moment>,
    entropy: &Arc<Counting>,
    change: impl FnOnce(&mut HubConfig),
) -> (Hub, mpsc::Receiver<NodeEvent>) {
    let mut config = HubConfig::new(SigningKey::from_bytes(&[42; 32]), 3);
    config.heartbeat_interval = Duration::from_secs(60);
    config.handshake_patience = Duration::from_secs(10);
    change(&mut config);
    Hub::new(config, registry, Arc::clone(clock) as _, Arc::clone(entropy) as _)
}

impl Fleet {
    /// Another control plane of the same key takes this one's place.
    pub fn begin_anew(&mut self) {
        self.replace(self.registry.clone(), |_| {});
    }

    /// The same, and it follows another one.
    pub fn follow(&mut self) {
        self.replace(self.registry.clone(), |config| config.elsewhere = Some(Arc::new(Vec::new)));
    }

    /// The same, and it has lost its list of nodes.
    pub fn lose_the_list(&mut self) {
        self.replace(Arc::new(Lost), |_| {});
    }

    fn replace(&mut self, registry: Arc<dyn NodeRegistry>, change: impl FnOnce(&mut HubConfig)) {
        (self.hub, self.events) = hub(registry, &self.clock, &self.entropy, change);
    }

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
