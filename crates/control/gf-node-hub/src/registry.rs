//! What the hub asks of whoever keeps the nodes' keys: the store in production, a map in a simulation.

use async_trait::async_trait;
use gf_model::NodeId;
use gf_node_proto::{GoodbyeReason, VerifyingKey};

/// Keeps which key belongs to which node, durably.
#[async_trait]
pub trait NodeRegistry: Send + Sync + 'static {
    /// The key that this node enrolled with, if it has, in its 32 bytes: to make a key of them that signatures are checked
    /// with takes a while, and a node that comes back by a ticket needs none.
    async fn key_of(&self, node: &NodeId) -> Result<Option<[u8; 32]>, RegistryError>;

    /// Whether a node that nobody knows may be heard, by the key that it proves: while a fleet whose list of nodes was lost
    /// is adopted. It is heard, and part of nothing.
    async fn hears_strangers(&self) -> bool {
        false
    }

    /// Uses up the token and remembers the key, in one durable step.
    ///
    /// `token_sha256` is [`gf_node_proto::EnrolmentToken::digest`]. The same token with the same key again is
    /// fine (the answer to the first attempt may have been lost); with another key it is refused.
    async fn enrol(
        &self,
        node: &NodeId,
        token_sha256: [u8; 32],
        key: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError>;
}

/// Why a node was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolRefusal {
    #[error("this enrolment token was used already; ask for a new one")]
    TokenUsed,
    #[error("this enrolment token is not known, has lapsed, or was made for another node")]
    TokenUnknown,
    #[error("a node of this name has enrolled with another key; remove it first or choose another name")]
    NameTaken,
}

impl EnrolRefusal {
    pub fn goodbye(self) -> GoodbyeReason {
        match self {
            Self::TokenUsed => GoodbyeReason::TokenUsed,
            Self::TokenUnknown => GoodbyeReason::TokenUnknown,
            Self::NameTaken => GoodbyeReason::NameTaken,
        }
    }
}

/// The registry could not be asked; nothing is known about the node.
#[derive(Debug, thiserror::Error)]
#[error("the list of nodes could not be read or written: {0}")]
pub struct RegistryError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
