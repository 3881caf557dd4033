//! How a machine that is about to be made gets the single-use token with which its node enrols.
//!
//! Whoever wires the control plane implements it over the store; a driver only hands the token to the machine
//! and must never log it or put it where others of that machine can read it.

use async_trait::async_trait;
use gf_model::{
    NodeId,
    provider::{ProviderId, Region},
};

#[async_trait]
pub trait Enrolment: Send + Sync + 'static {
    /// A fresh token in its written form. The expectation of this node is durable when it is returned, and an
    /// earlier token of the same node that was not used yet is void.
    async fn token(
        &self,
        node: &NodeId,
        provider: &ProviderId,
        region: &Region,
    ) -> Result<String, EnrolmentError>;
}

/// No token could be had, so no machine was made.
#[derive(Debug, thiserror::Error)]
#[error("no enrolment token for {node}: {source}")]
pub struct EnrolmentError {
    pub node: NodeId,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
