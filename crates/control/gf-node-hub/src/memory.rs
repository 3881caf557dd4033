//! A registry in memory: for simulated fleets and for tests. It forgets everything when it is dropped.

use crate::{EnrolRefusal, NodeRegistry, RegistryError};
use async_trait::async_trait;
use gf_model::NodeId;
use gf_node_proto::{EnrolmentToken, VerifyingKey};
use parking_lot::Mutex;
use std::collections::HashMap;

#[derive(Debug, Default)]
pub struct MemoryRegistry {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: HashMap<NodeId, VerifyingKey>,
    /// By digest.
    tokens: HashMap<[u8; 32], Minted>,
}

#[derive(Debug)]
struct Minted {
    node: NodeId,
    used_by: Option<VerifyingKey>,
}

impl MemoryRegistry {
    /// The node may enrol with this token, once.
    pub fn allow(&self, node: &NodeId, token: &EnrolmentToken) {
        self.known.lock().tokens.insert(token.digest(), Minted { node: node.clone(), used_by: None });
    }

    /// A node that enrolled before this began.
    pub fn know(&self, node: NodeId, key: VerifyingKey) {
        self.known.lock().keys.insert(node, key);
    }
}

#[async_trait]
impl NodeRegistry for MemoryRegistry {
    async fn key_of(&self, node: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        Ok(self.known.lock().keys.get(node).map(VerifyingKey::to_bytes))
    }

    async fn enrol(
        &self,
        node: &NodeId,
        token: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        let Known { keys, tokens } = &mut *self.known.lock();
        Ok(match tokens.get_mut(&token) {
            Some(minted) if minted.node != *node => Err(EnrolRefusal::TokenUnknown),
            Some(minted) if minted.used_by.is_some_and(|used| used != key) => Err(EnrolRefusal::TokenUsed),
            Some(_) if keys.get(node).is_some_and(|known| *known != key) => Err(EnrolRefusal::NameTaken),
            Some(minted) => {
                minted.used_by = Some(key);
                keys.insert(node.clone(), key);
                Ok(())
            }
            None => Err(EnrolRefusal::TokenUnknown),
        })
    }
}
