//! Places on this machine: OpenClaw processes under the host nodes of two failure domains, `local-a` and
//! `local-b`.
//!
//! The driver is thin: it carries orders to the node as commands and translates the answers. It must never
//! start or stop a process itself, and it keeps nothing: what exists is what the node says exists.

mod ports;

use async_trait::async_trait;
use gf_driver::{CreatePlace, Driver, DriverError, MemoryLocation, Place};
use gf_model::{
    Cents, InstanceId, NodeId, Tier,
    ambient::Entropy,
    instance::Role,
    provider::{Pool, Provider, ProviderId, ProviderStatus, Region, RegionOffer, TrackRecord},
};
use gf_node_hub::{CommandError, CommandMeta, Hub};
use gf_node_proto::{
    FailureCode, InstanceCreate, InstanceDelete, InstanceList, InstanceResize, InstanceRole, InstanceStop,
    InstanceSummary, Reply, command, reply,
};
use ports::Ports;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const DRIVER: &str = "process";
/// The one region of this machine.
const REGION: &str = "here";
const SIDES: [(&str, &str); 2] = [("local-a", "This machine, side A"), ("local-b", "This machine, side B")];

/// How long a node may take before its answer counts as lost.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// It answers once the process exists, not once it is ready; restoring a memory copies files.
    pub create: Duration,
    /// Until nothing runs, or nothing is left on disk.
    pub stop: Duration,
    pub look: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { create: seconds(120), stop: seconds(90), look: seconds(10) }
    }
}

pub struct ProcessDriver {
    hub: Hub,
    entropy: Arc<dyn Entropy>,
    ports: Ports,
    patience: Patience,
}

/// A side of this machine, and the node that hosts it.
struct Side {
    number: usize,
    provider: ProviderId,
    node: NodeId,
}

fn side(provider: &ProviderId) -> Result<Side, DriverError> {
    let unknown = || DriverError::UnknownProvider(provider.clone());
    let number = SIDES.iter().position(|(name, _)| *name == provider.0).ok_or_else(unknown)?;
    Ok(Side { number, provider: provider.clone(), node: provider.0.parse().map_err(|_| unknown())? })
}

impl Side {
    fn place(&self, label: InstanceId, summary: &InstanceSummary) -> Place {
        Place {
            id: format!("{}/{label}", self.provider),
            label,
            provider: self.provider.clone(),
            region: Region::from(REGION),
            node: self.node.clone(),
            endpoint: (summary.port != 0).then(|| format!("http://127.0.0.1:{}", summary.port)),
        }
    }

    fn find(&self, label: &InstanceId, summaries: &[InstanceSummary]) -> Option<Place> {
        let summary = summaries.iter().find(|summary| summary.instance_id == label.as_str())?;
        Some(self.place(label.clone(), summary))
    }

    fn error(&self, why: CommandError) -> DriverError {
        let (provider, message) = (self.provider.clone(), why.to_string());
        match why {
            CommandError::NotConnected { .. }
            | CommandError::NotLeading { .. }
            | CommandError::Busy { .. } => DriverError::Unavailable { provider, message },
            CommandError::Uncertain { .. } => DriverError::AnswerLost { provider, message },
            CommandError::TooLarge(_) | CommandError::KeyInUse { .. } => {
                DriverError::Refused { provider, message }
            }
            CommandError::Failed(failure) => match failure.code() {
                FailureCode::TimedOut | FailureCode::Cancelled => {
                    DriverError::AnswerLost { provider, message }
                }
                FailureCode::Overloaded => DriverError::Unavailable { provider, message },
                _ => DriverError::Refused { provider, message },
            },
        }
    }

    fn unexpected(&self, asked: &str) -> DriverError {
        let message = format!("{} answered {asked} with something else", self.node);
        DriverError::AnswerLost { provider: self.provider.clone(), message }
    }
}

impl ProcessDriver {
    /// `entropy` tells apart two stops of one instance: each must have its effect. `port_base` is the first
    /// port of the installation.
    pub fn new(hub: Hub, entropy: Arc<dyn Entropy>, port_base: u16) -> Self {
        Self { hub, entropy, ports: Ports::from_base(port_base), patience: Patience::default() }
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    async fn tell(
        &self,
        side: &Side,
        body: impl Into<command::Body>,
        key: String,
        patience: Duration,
    ) -> Result<Reply, CommandError> {
        self.hub.command(&side.node, body, CommandMeta::new(key, patience)).await
    }

    /// A key that nothing else has: for what is done as often as it is asked for.
    fn fresh(&self, verb: &str, label: &str) -> String {
        format!("{verb}/{label}/{:016x}", self.entropy.next_u64())
    }

    async fn summaries(&self, side: &Side) -> Result<Vec<InstanceSummary>, DriverError> {
        let key = self.fresh("list", &side.provider.0);
        let reply =
            self.tell(side, InstanceList {}, key, self.patience.look).await.map_err(|why| side.error(why))?;
        match reply.body {
            Some(reply::Body::Listing(listing)) => Ok(listing.instances),
            _ => Err(side.unexpected("instance.list")),
        }
    }

    async fn existing(&self, side: &Side, label: &InstanceId) -> Result<Place, DriverError> {
        let summaries = self.summaries(side).await?;
        side.find(label, &summaries).ok_or_else(|| side.unexpected("instance.create"))
    }

    /// Carries out something that an instance which is not there makes needless.
    async fn tell_if_there(
        &self,
        side: &Side,
        body: impl Into<command::Body>,
        key: String,
    ) -> Result<(), DriverError> {
        match self.tell(side, body, key, self.patience.stop).await {
            Ok(_) => Ok(()),
            Err(CommandError::Failed(why)) if why.code() == FailureCode::UnknownInstance => Ok(()),
            Err(why) => Err(side.error(why)),
        }
    }
}

fn restore_from(memory: Option<&MemoryLocation>) -> String {
    match memory {
        Some(MemoryLocation::Snapshot(path) | MemoryLocation::Archive(path)) => path.clone(),
        None => String::new(),
    }
}

#[async_trait]
impl Driver for ProcessDriver {
    fn name(&self) -> &'static str {
        DRIVER
    }

    fn providers(&self) -> Vec<Provider> {
        let price = |tier: Tier| (tier, Cents(tier.list_price().0 / 2));
        let provider = |(id, name): (&str, &str)| Provider {
            id: id.into(),
            name: name.to_owned(),
            driver: DRIVER.to_owned(),
            regions: vec![RegionOffer {
                region: Region::from(REGION),
                title: "this machine".to_owned(),
                continent: "LOCAL".to_owned(),
            }],
            prices: Tier::ALL.into_iter().map(price).collect(),
            setup_fee: Some(Cents(0)),
            pool: Pool::Primary,
            status: ProviderStatus::Ok,
            score: None,
            status_asked_at: None,
            low_confidence: true,
            record: TrackRecord::default(),
        };
        SIDES.into_iter().map(provider).collect()
    }

    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
        let side = side(&order.provider)?;
        if order.region.0 != REGION {
            let (provider, region) = (order.provider.clone(), order.region.clone());
            return Err(DriverError::UnknownRegion { provider, region });
        }
        let there = self.summaries(&side).await?;
        if let Some(place) = side.find(&order.label, &there) {
            return Ok(place);
        }
        let taken: BTreeSet<u16> = there.iter().filter_map(|summary| summary.port.try_into().ok()).collect();
        let reserved =
            self.ports.reserve(side.number, SIDES.len(), &taken).ok_or_else(|| DriverError::Quota {
                provider: order.provider.clone(),
                tier: order.tier,
                region: order.region.clone(),
                message: "no port is free".to_owned(),
            })?;
        let create = InstanceCreate {
            instance_id: order.label.to_string(),
            account: order.account.to_string(),
            role: match order.role {
                Role::Primary => InstanceRole::Primary.into(),
                Role::Standby => InstanceRole::Standby.into(),
            },
            tier: order.tier.to_string(),
            generation: order.generation.0,
            port: reserved.port.into(),
            config: Some(order.configuration.to_string().into()),
            owned: Some(order.owned.to_string().into()),
            revision: order.revision.clone(),
            restore_from: restore_from(order.memory.as_ref()),
            ..InstanceCreate::default()
        };
        // The instance's id is what makes two orders one; a key of its own lets a failed one be tried again.
        let key = self.fresh("create", order.label.as_str());
        match self.tell(&side, create, key, self.patience.create).await {
            Ok(Reply { body: Some(reply::Body::Instance(summary)) }) => {
                Ok(side.place(order.label.clone(), &summary))
            }
            Ok(_) => Err(side.unexpected("instance.create")),
            // Another order for it was there first.
            Err(CommandError::Failed(why)) if why.code() == FailureCode::AlreadyExists => {
                self.existing(&side, &order.label).await
            }
            Err(why) => Err(side.error(why)),
        }
    }

    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError> {
        let side = side(provider)?;
        Ok(side.find(label, &self.summaries(&side).await?))
    }

    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError> {
        let side = side(provider)?;
        // What has no instance's name is not ours.
        let ours = |summary: &InstanceSummary| {
            let label = summary.instance_id.parse::<InstanceId>().ok()?;
            (label.as_str() == summary.instance_id).then(|| side.place(label, summary))
        };
        Ok(self.summaries(&side).await?.iter().filter_map(ours).collect())
    }

    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        let delete = InstanceDelete { instance_id: label.to_string() };
        self.tell_if_there(&side(provider)?, delete, self.fresh("delete", label.as_str())).await
    }

    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        let stop = InstanceStop { instance_id: label.to_string(), drain: false };
        self.tell_if_there(&side(provider)?, stop, self.fresh("power-off", label.as_str())).await
    }

    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError> {
        let side = side(provider)?;
        let resize = InstanceResize { instance_id: label.to_string(), tier: tier.to_string() };
        let key = self.fresh("resize", label.as_str());
        self.tell(&side, resize, key, self.patience.create).await.map(drop).map_err(|why| side.error(why))
    }

    /// A side is well while its node is there.
    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
        let side = side(provider)?;
        if self.hub.is_connected(&side.node) {
            return Ok(ProviderStatus::Ok);
        }
        let title = format!("{} is not connected", side.node);
        Ok(ProviderStatus::Incident { title, regions: vec![Region::from(REGION)] })
    }
}
