//! A registry in memory, and a hub on it.

use async_trait::async_trait;
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{EnrolRefusal, Hub, HubConfig, NodeEvent, NodeRegistry, RegistryError};
use gf_node_proto::{EnrolmentToken, SigningKey, VerifyingKey};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

#[derive(Default)]
pub struct Registry {
    keys: Mutex<HashMap<NodeId, VerifyingKey>>,
    tokens: Mutex<HashMap<[u8; 32], Token>>,
}

/// The node that a token is for, and the key that used it.
type Token = (NodeId, Option<VerifyingKey>);

#[async_trait]
impl NodeRegistry for Registry {
    async fn key_of(&self, node: &NodeId) -> Result<Option<VerifyingKey>, RegistryError> {
        Ok(self.keys.lock().get(node).copied())
    }

    async fn enrol(
        &self,
        node: &NodeId,
        token: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        let mut tokens = self.tokens.lock();
        Ok(match tokens.get_mut(&token) {
            Some((of, _)) if of != node => Err(EnrolRefusal::TokenUnknown),
            Some((_, Some(used))) if *used != key => Err(EnrolRefusal::TokenUsed),
            Some((_, used)) => {
                if self.keys.lock().get(node).is_some_and(|known| *known != key) {
                    return Ok(Err(EnrolRefusal::NameTaken));
                }
                *used = Some(key);
                self.keys.lock().insert(node.clone(), key);
                Ok(())
            }
            None => Err(EnrolRefusal::TokenUnknown),
        })
    }
}

impl Registry {
    pub fn allow(&self, node: &NodeId, token: &EnrolmentToken) {
        self.tokens.lock().insert(token.digest(), (node.clone(), None));
    }
}

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
    pub registry: Arc<Registry>,
}

pub fn fleet() -> Fleet {
    let registry = Arc::new(Registry::default());
    let mut config = HubConfig::new(SigningKey::from_bytes(&[42; 32]), 3);
    config.heartbeat_interval = Duration::from_secs(60);
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
