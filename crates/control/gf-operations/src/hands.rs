//! What steps act through, all of it injected.

use gf_driver::Drivers;
use gf_model::ambient::{Clock, Entropy};
use gf_node_hub::Hub;
use gf_secrets::Secrets;
use gf_store::FleetStore;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc, time::Duration};

#[derive(Clone)]
pub struct Hands {
    pub store: FleetStore,
    pub drivers: Drivers,
    pub hub: Hub,
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub paths: Paths,
    pub limits: Limits,
    /// Whether somebody has said where COMPANION listens.
    pub companion_listens: bool,
    /// The OpenClaw configuration that every account's gateway starts with, before its own owned keys.
    pub base_configuration: Arc<Value>,
}

/// Where copies of memory are kept, as the nodes reach it.
#[derive(Debug, Clone)]
pub struct Paths {
    pub snapshots: PathBuf,
    pub archives: PathBuf,
    /// Releases of gf-clawnode, by version, as this control plane reads them.
    pub releases: PathBuf,
}

/// How long steps wait.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the order until the place's node connects; slow providers take seven minutes for it.
    pub delivery: Duration,
    /// From then on until the instance answers.
    pub boot: Duration,
    /// For a node that is away to come back before it is commanded.
    pub reconnect: Duration,
    /// For one command to a node.
    pub command: Duration,
    /// For one command that copies or restarts.
    pub long_command: Duration,
    /// Times that a step is tried where trying again can help.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each further one.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            delivery: Duration::from_secs(900),
            boot: Duration::from_secs(420),
            reconnect: Duration::from_secs(30),
            command: Duration::from_secs(60),
            long_command: Duration::from_secs(300),
            attempts: 3,
            pause: Duration::from_secs(2),
        }
    }
}
