//! What gf-clawnode remembers of an instance: enough to find it again after its own restart.

use super::lease::Terms;
use crate::{files, instance::Layout};
use gf_node_proto::InstanceRole;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fs, io};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    pub instance: String,
    pub account: String,
    pub standby: bool,
    pub tier: String,
    /// The highest generation of the pair that this instance has heard of.
    pub generation: u64,
    pub port: u16,
    /// The shared token of its gateway; full rights on loopback.
    pub gateway_token: String,
    /// The OpenClaw release that it needs; empty for whichever is installed.
    #[serde(default)]
    pub openclaw_version: String,
    /// Whether it should run, as the control plane last said.
    pub wanted: bool,
    /// The process that runs it, if one was started.
    #[serde(default)]
    pub process: Option<ProcessId>,
    #[serde(default)]
    pub channels_open: bool,
    /// Its process may have the channels, whatever was ordered: from before they are given to it until it was seen that
    /// they are gone.
    #[serde(default)]
    pub channels_held: bool,
    /// The configuration that it was made with, before its place and any revision.
    #[serde(default)]
    pub base: Value,
    #[serde(default)]
    pub owned: Owned,
    #[serde(default)]
    pub last_snapshot: Option<LastSnapshot>,
    #[serde(default)]
    pub last_boot_ms: u32,
    /// Parked, under this suspension of its gateway.
    #[serde(default)]
    pub parked: Option<String>,
    #[serde(default)]
    pub lease: Terms,
}

/// A process, told apart from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessId {
    pub pid: u32,
    /// In clock ticks since boot.
    pub started: u64,
    pub boot: String,
}

/// The key paths that revisions took, and the way back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owned {
    /// All revisions merged: what the owned paths should hold.
    #[serde(default)]
    pub patch: Value,
    #[serde(default)]
    pub revision: String,
    /// Oldest first, the last few.
    #[serde(default)]
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub revision: String,
    /// The merge patch that puts this instance's own previous values back; `null` where there was nothing.
    pub undo: Value,
    pub previous_revision: String,
    pub previous_patch: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastSnapshot {
    pub id: String,
    /// Of the manifest's contents: equal digests hold equal memory.
    pub digest: String,
}

impl Spec {
    pub fn role(&self) -> InstanceRole {
        if self.standby { InstanceRole::Standby } else { InstanceRole::Primary }
    }

    /// Whether its process may receive and send.
    pub fn may_have_channels(&self) -> bool {
        self.channels_open || self.channels_held
    }

    pub fn channels_are_gone(&mut self) {
        self.channels_open = false;
        self.channels_held = false;
    }

    pub fn load(layout: &Layout) -> io::Result<Self> {
        let text = fs::read(layout.spec())?;
        serde_json::from_slice(&text).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
    }

    pub fn save(&self, layout: &Layout) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        files::write_private(&layout.spec(), &text)
    }
}
