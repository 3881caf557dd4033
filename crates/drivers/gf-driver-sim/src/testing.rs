//! What surrounds a simulated fleet where no store and no binary does: a registry in memory, a clock that
//! follows tokio's (so that paused time works), and bits that follow from a seed. Nothing in here is a secret.

use async_trait::async_trait;
use gf_driver::{Enrolment, EnrolmentError};
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
    provider::{ProviderId, Region},
};
use gf_node_hub::{EnrolRefusal, Hub, HubConfig, MemoryRegistry, NodeEvent, NodeRegistry, RegistryError};
use gf_node_proto::{EnrolmentToken, SigningKey, VerifyingKey};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// Tokens and keys in memory, durable as long as this value lives.
#[derive(Default)]
pub struct Office {
    control: Option<SigningKey>,
    count: AtomicU64,
    known: MemoryRegistry,
    closed: AtomicBool,
}

impl Office {
    /// `control` is the key of the hub that the nodes will meet.
    pub fn new(control: SigningKey) -> Arc<Self> {
        Arc::new(Self { control: Some(control), ..Self::default() })
    }

    /// A node that enrolled before this began.
    pub fn know(&self, node: NodeId, key: VerifyingKey) {
        self.known.know(node, key);
    }

    /// While it is closed no token can be had, as where a store cannot write.
    pub fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::Relaxed);
    }

    pub fn mint(&self, node: &NodeId) -> String {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let control = self.control.as_ref().map(SigningKey::verifying_key).unwrap_or_default();
        let token = EnrolmentToken::new(secret, control);
        self.known.allow(node, &token);
        token.reveal()
    }
}

#[async_trait]
impl Enrolment for Office {
    async fn token(&self, node: &NodeId, _: &ProviderId, _: &Region) -> Result<String, EnrolmentError> {
        if self.closed.load(Ordering::Relaxed) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(EnrolmentError { node: node.clone(), source: source.into() });
        }
        Ok(self.mint(node))
    }
}

#[async_trait]
impl NodeRegistry for Office {
    async fn key_of(&self, node: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        self.known.key_of(node).await
    }

    async fn enrol(
        &self,
        node: &NodeId,
        token: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        self.known.enrol(node, token, key).await
    }
}

/// A clock that starts at a fixed day and goes on as tokio's does.
pub struct TokioClock(Instant);

impl TokioClock {
    pub fn starting_now() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        const DAY_ONE_MS: i64 = 1_767_225_600_000;
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(DAY_ONE_MS.saturating_add(passed)).unwrap_or(Timestamp::MAX)
    }
}

/// The same bits in the same order for the same seed.
pub struct SeededEntropy {
    chance: crate::chance::Chance,
    drawn: AtomicU64,
}

impl SeededEntropy {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { chance: crate::chance::Chance::new(seed), drawn: AtomicU64::new(0) })
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.chance.bits("entropy", "", self.drawn.fetch_add(1, Ordering::Relaxed));
            chunk.copy_from_slice(&bits.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The key of every hub that [`hub`] makes.
pub fn control_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// A control plane's end of all links, as after a start: it knows who enrolled and nothing else.
pub fn hub(office: &Arc<Office>, generation: u64) -> (Hub, mpsc::Receiver<NodeEvent>) {
    let mut config = HubConfig::new(control_key(), generation);
    config.heartbeat_interval = Duration::from_secs(10);
    Hub::new(
        config,
        Arc::clone(office) as Arc<dyn NodeRegistry>,
        TokioClock::starting_now(),
        SeededEntropy::new(generation),
    )
}
