//! What every provider of places must be able to do.
//!
//! Drivers differ only in how a place is made and unmade. What happens inside a place goes over the node link and
//! never through a driver; a driver never decides, retries or writes to the store.

use async_trait::async_trait;
use gf_model::{
    AccountId, InstanceId, NodeId, Tier,
    gateway::Generation,
    instance::Role,
    provider::{Provider, ProviderId, ProviderStatus, Region},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub mod contract;
mod drivers;
mod enrolment;
mod permitted;
mod told;

pub use drivers::Drivers;
pub use enrolment::{Enrolment, EnrolmentError};
pub use permitted::{MayAct, Permitted};

/// An order for a place with one instance in it.
///
/// The instance's id is the label that the provider keeps: the same order twice is one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatePlace {
    pub label: InstanceId,
    pub account: AccountId,
    pub role: Role,
    pub tier: Tier,
    pub provider: ProviderId,
    pub region: Region,
    pub generation: Generation,
    /// Where the memory lies that the instance starts with: a snapshot's or an archive's location.
    pub memory: Option<MemoryLocation>,
    /// The OpenClaw configuration that every instance is made with, before any revision; channels are not in it.
    pub configuration: serde_json::Value,
    /// The keys that the account's gateway owns, as a merge patch over the configuration.
    pub owned: serde_json::Value,
    /// The revision that the owned keys are of; empty where none was taken.
    pub revision: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "location")]
pub enum MemoryLocation {
    Snapshot(String),
    Archive(String),
}

/// A place that exists at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The provider's own name for it.
    pub id: String,
    pub label: InstanceId,
    pub provider: ProviderId,
    pub region: Region,
    /// The node whose link reaches the instance.
    pub node: NodeId,
    /// Where OpenClaw will answer, once known.
    pub endpoint: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("{provider} refuses: {message}")]
    Refused { provider: ProviderId, message: String },
    #[error("{provider} does not know region {region}")]
    UnknownRegion { provider: ProviderId, region: Region },
    #[error("no driver serves provider {0}")]
    UnknownProvider(ProviderId),
    #[error("{provider} has no room for another {tier} place in {region}: {message}")]
    Quota { provider: ProviderId, tier: Tier, region: Region, message: String },
    #[error("{provider} asks to wait {} s", retry_after.as_secs())]
    RateLimited { provider: ProviderId, retry_after: Duration },
    #[error("{provider} cannot be reached: {message}")]
    Unavailable { provider: ProviderId, message: String },
    /// The order may have been carried out: look for its label before ordering again.
    #[error("{provider} was asked and its answer was lost: {message}")]
    AnswerLost { provider: ProviderId, message: String },
    /// The store could not expect the node, so that nothing was ordered. The provider has refused nothing.
    #[error(transparent)]
    NoToken(#[from] EnrolmentError),
}

impl DriverError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::AnswerLost { .. }
            | Self::NoToken(_) => true,
            Self::Refused { .. }
            | Self::UnknownRegion { .. }
            | Self::UnknownProvider(_)
            | Self::Quota { .. } => false,
        }
    }
}

#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// `process`, `sim`, `hetzner`.
    fn name(&self) -> &'static str;

    /// What it sells. Called at start and at each refresh; never blocks.
    fn providers(&self) -> Vec<Provider>;

    /// Whether each place has a node of its own, which is gone for ever when the place is deleted.
    fn node_goes_with_place(&self) -> bool {
        false
    }

    /// Makes the place and has OpenClaw started in it. An order whose label exists already answers with that place.
    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError>;

    /// The place with this label, if the provider has it.
    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError>;

    /// Every place that carries one of our labels.
    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError>;

    /// Deletes the place and everything in it. A label that does not exist is a success.
    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError>;

    /// Stops it hard and returns only when it is confirmed that nothing in it runs: the last means of fencing.
    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError>;

    /// Changes the tier in place. The instance may restart.
    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError>;

    /// What the provider itself says of its health now.
    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError>;
}
