//! Which nodes exist and by which keys they are known, kept in the store.
//!
//! An enrolment token is kept as its hash and used up in the same step in which the node's key is remembered.

use async_trait::async_trait;
use gf_driver::{Enrolment, EnrolmentError};
use gf_model::{
    NodeId, Timestamp,
    ambient::Clock,
    audit::AuditEntry,
    fleet::{Fleet, Once},
    node::Node,
    person::Principal,
    provider::{ProviderId, Region},
};
use gf_node_hub::{EnrolRefusal, Hub, NodeRegistry, RegistryError};
use gf_node_proto::VerifyingKey;
use gf_requests::adopt;
use gf_store::{FleetStore, Tx};
use serde_json::json;
use std::sync::Arc;

/// The hub's view of the store.
pub struct StoredNodes {
    pub store: FleetStore,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl NodeRegistry for StoredNodes {
    async fn key_of(&self, node: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        let kept = self.store.read(|fleet| fleet.nodes.get(node).map(|node| node.public_key.clone()));
        match kept.filter(|key| !key.is_empty()) {
            None => Ok(None),
            Some(text) => key_from(&text).map(Some),
        }
    }

    async fn hears_strangers(&self) -> bool {
        self.store.read(|fleet| adopt::is_open(fleet).is_some())
    }

    async fn enrol(
        &self,
        node: &NodeId,
        token_sha256: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        let now = self.clock.now();
        self.store
            .update(|fleet, tx| {
                admit(fleet, tx, node, &hex::encode(token_sha256), &hex::encode(key.as_bytes()), now)
            })
            .await
            .map_err(|why| RegistryError(why.into()))
    }
}

fn key_from(text: &str) -> Result<[u8; 32], RegistryError> {
    let mut key = [0; 32];
    match hex::decode_to_slice(text, &mut key) {
        Ok(()) => Ok(key),
        Err(why) => {
            Err(RegistryError(format!("a node's stored key is not 64 hexadecimal digits: {why}").into()))
        }
    }
}

fn used(token: &str) -> String {
    format!("enrol-token:{token}")
}

fn admit(
    fleet: &Fleet,
    tx: &mut Tx,
    node: &NodeId,
    token: &str,
    key: &str,
    now: Timestamp,
) -> Result<(), EnrolRefusal> {
    let known = fleet.nodes.get(node);
    let expected = known.and_then(|node| node.enrol_token_sha256.as_deref());
    match known {
        Some(known) if expected == Some(token) => {
            let mut enrolled = known.clone();
            enrolled.public_key = key.to_owned();
            enrolled.enrol_token_sha256 = None;
            enrolled.enrolled_at = Some(now);
            tx.audit(row("node.enrol", node, now, json!({"publicKey": key})));
            tx.put(Once { key: used(token), at: now, answer: json!({"node": node, "publicKey": key}) });
            tx.put(enrolled);
            Ok(())
        }
        _ => match fleet.once.get(&used(token)) {
            // The answer to the first attempt was lost.
            Some(once) if once.answer == json!({"node": node, "publicKey": key}) => Ok(()),
            Some(_) => Err(EnrolRefusal::TokenUsed),
            None if known.is_some_and(|known| !known.public_key.is_empty() && known.public_key != key) => {
                Err(EnrolRefusal::NameTaken)
            }
            None => Err(EnrolRefusal::TokenUnknown),
        },
    }
}

fn row(action: &str, node: &NodeId, now: Timestamp, detail: serde_json::Value) -> AuditEntry {
    AuditEntry::noted(
        now,
        Principal::Service("gatewayforge".to_owned()),
        action,
        vec![node.to_string()],
        detail,
    )
}

/// Expects nodes: mints their tokens and keeps the hashes.
pub struct Tokens {
    pub store: FleetStore,
    pub clock: Arc<dyn Clock>,
    pub hub: Hub,
}

#[async_trait]
impl Enrolment for Tokens {
    async fn token(
        &self,
        node: &NodeId,
        provider: &ProviderId,
        region: &Region,
    ) -> Result<String, EnrolmentError> {
        let token = self.hub.mint_token();
        let digest = hex::encode(token.digest());
        let now = self.clock.now();
        let written = self.store.update(|fleet, tx| {
            let mut expected = fleet.nodes.get(node).cloned().unwrap_or_else(|| Node {
                id: node.clone(),
                provider: provider.clone(),
                region: region.clone(),
                public_key: String::new(),
                enrol_token_sha256: None,
                enrolled_at: None,
                connected: false,
                last_change: now,
                software: None,
            });
            expected.provider = provider.clone();
            expected.region = region.clone();
            expected.enrol_token_sha256 = Some(digest);
            tx.audit(row("node.expect", node, now, json!({"provider": provider, "region": region})));
            tx.put(expected);
        });
        written.await.map_err(|why| EnrolmentError { node: node.clone(), source: why.into() })?;
        Ok(token.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_hub::HubConfig;
    use gf_node_proto::{EnrolmentToken, SigningKey};

    struct Parts {
        nodes: StoredNodes,
        tokens: Tokens,
    }

    fn parts() -> Parts {
        let store = FleetStore::in_memory().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(crate::ambient::SystemClock);
        let registry = Arc::new(StoredNodes { store: store.clone(), clock: clock.clone() });
        let config = HubConfig::new(SigningKey::from_bytes(&[7; 32]), 1);
        let (hub, _) = Hub::new(config, registry, clock.clone(), Arc::new(crate::ambient::SystemEntropy));
        Parts {
            nodes: StoredNodes { store: store.clone(), clock: clock.clone() },
            tokens: Tokens { store, clock, hub },
        }
    }

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    #[tokio::test]
    async fn a_token_lets_one_key_in_and_says_why_it_lets_no_other() {
        let parts = parts();
        let node: NodeId = "node-local-a".parse().unwrap();
        let expect = async || {
            let text = parts.tokens.token(&node, &"local-a".into(), &"here".into()).await.unwrap();
            text.parse::<EnrolmentToken>().unwrap().digest()
        };
        let first = expect().await;
        let token = expect().await;
        let enrol =
            async |node: &NodeId, token, seed| parts.nodes.enrol(node, token, key(seed)).await.unwrap();

        assert_eq!(
            enrol(&node, first, 1).await,
            Err(EnrolRefusal::TokenUnknown),
            "a newer token voids the older"
        );
        let other: NodeId = "node-local-b".parse().unwrap();
        assert_eq!(
            enrol(&other, token, 1).await,
            Err(EnrolRefusal::TokenUnknown),
            "it was made for another node"
        );
        assert_eq!(enrol(&node, token, 1).await, Ok(()));
        assert_eq!(enrol(&node, token, 1).await, Ok(()), "its answer may have been lost");
        assert_eq!(enrol(&node, token, 2).await, Err(EnrolRefusal::TokenUsed));
        assert_eq!(enrol(&node, first, 2).await, Err(EnrolRefusal::NameTaken));
        assert_eq!(parts.nodes.key_of(&node).await.unwrap(), Some(key(1).to_bytes()));
        assert_eq!(parts.nodes.key_of(&other).await.unwrap(), None);
    }
}
