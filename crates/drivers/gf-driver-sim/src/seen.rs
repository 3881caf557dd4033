//! What is really so at the machines, whoever knows of it: for whoever judges the control plane from outside. It
//! moves nothing.

use crate::{fleet::SimFleet, instance::Phase, machine::Inner};
use gf_model::{
    InstanceId, NodeId, Tier,
    provider::{ProviderId, Region},
};

/// One machine as its provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenMachine {
    pub node: NodeId,
    pub provider: ProviderId,
    pub region: Region,
    /// `None` for a machine that nobody ordered here.
    pub label: Option<InstanceId>,
    pub powered: bool,
    /// The gf-clawnode that it runs.
    pub software: String,
    /// Nothing goes in or out of it.
    pub cut: bool,
    pub instances: Vec<SeenInstance>,
}

/// One OpenClaw as its own machine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenInstance {
    pub id: String,
    pub account: String,
    pub generation: u64,
    pub tier: Tier,
    /// It has a process.
    pub runs: bool,
    /// It has the channels and a process that uses them: it receives and it sends.
    pub acts: bool,
    pub sick: bool,
    pub channels_open: bool,
    pub revision: String,
    pub malformed: bool,
}

/// Told whenever an instance begins to receive and send, or ends to.
pub trait Watcher: Send + Sync + 'static {
    fn acts(&self, account: &str, instance: &str, acts: bool);

    /// The lease of an instance is over. Its witness was there all the while and would have renewed it, or not.
    fn lapsed(&self, instance: &str, witness_lived: bool);

    /// A node runs another gf-clawnode from now on.
    fn runs(&self, node: &NodeId, version: &str);
}

impl Inner {
    pub(crate) fn seen(&self) -> Vec<SeenInstance> {
        let powered = self.saved.powered;
        let seen = |instance: &crate::instance::SimInstance| SeenInstance {
            id: instance.id.to_string(),
            account: instance.account.to_string(),
            generation: instance.generation,
            tier: instance.tier,
            runs: powered && instance.runs(),
            acts: powered && instance.acts(),
            sick: instance.is_sick(),
            channels_open: instance.channels_open,
            revision: instance.document.revision().to_owned(),
            malformed: instance.document.is_malformed(),
        };
        self.saved.host.instances.iter().map(seen).collect()
    }

    /// What began and what ended to act since this was asked last: account, instance, whether it acts now.
    pub(crate) fn turned(&mut self) -> Vec<(Box<str>, Box<str>, bool)> {
        let powered = self.saved.powered && !self.stalled;
        let mut turned = Vec::new();
        let acting = &mut self.acting;
        acting.retain(|(account, id)| {
            let goes_on = powered && self.saved.host.instances.iter().any(|i| i.id == *id && i.acts());
            if !goes_on {
                turned.push((account.clone(), id.clone(), false));
            }
            goes_on
        });
        for instance in self.saved.host.instances.iter().filter(|instance| powered && instance.acts()) {
            if acting.iter().all(|(_, id)| *id != instance.id) {
                acting.push((instance.account.clone(), instance.id.clone()));
                turned.push((instance.account.clone(), instance.id.clone(), true));
            }
        }
        turned
    }
}

impl crate::instance::SimInstance {
    /// Whether it receives and sends.
    fn acts(&self) -> bool {
        self.channels_open && matches!(self.phase, Phase::Serving | Phase::Draining)
    }
}

impl SimFleet {
    /// Everything that exists, as it is at this moment.
    pub fn seen(&self) -> Vec<SeenMachine> {
        let look = |machine: &std::sync::Arc<crate::machine::Machine>| {
            let inner = machine.lock();
            SeenMachine {
                node: machine.node.clone(),
                provider: machine.provider.clone(),
                region: machine.region.clone(),
                label: inner.saved.label.clone(),
                powered: inner.saved.powered,
                software: inner.saved.host.software.version().to_owned(),
                cut: inner.silent,
                instances: inner.seen(),
            }
        };
        self.world.machines().iter().map(look).collect()
    }

    /// From now on the watcher is told. There is one at most.
    pub fn watch(&self, watcher: std::sync::Arc<dyn Watcher>) {
        let _ = self.world.watcher.set(watcher);
    }
}
