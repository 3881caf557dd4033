//! The driver contract against a real hub and a host that speaks the node protocol from memory: what is judged
//! is places, not OpenClaw.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use async_trait::async_trait;
use gf_driver::{
    Driver,
    contract::{Fault, Subject},
};
use gf_driver_process::ProcessDriver;
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, SeededEntropy, TokioClock, control_key, hub},
};
use gf_model::{
    InstanceId, NodeId, Tier,
    provider::{ProviderId, Region},
};
use gf_node_hub::{CommandMeta, Hub, NodeEvent};
use gf_node_proto::{InstanceCreate, InstanceRole};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Away from where an installation on this machine would be.
const PORT_BASE: u16 = 41_000;

struct Side {
    provider: &'static str,
    office: Arc<Office>,
    machine: SimFleet,
    hub: Hub,
    events: mpsc::Receiver<NodeEvent>,
    starts: u64,
    entropy: Arc<SeededEntropy>,
}

fn node(provider: &str) -> NodeId {
    format!("node-{provider}").parse().unwrap()
}

impl Side {
    async fn of(provider: &'static str) -> Self {
        let office = Office::new(control_key());
        let (hub, events) = hub(&office, 1);
        let (clock, entropy) = (TokioClock::starting_now(), SeededEntropy::new(1));
        let settings = SimSettings { failures: false, ..SimSettings::default() };
        let machine =
            SimFleet::open(settings, hub.clone(), Arc::clone(&office) as _, clock, entropy).unwrap();
        let node = node(provider);
        machine.add_host(node.clone(), provider.into(), "here".into(), office.mint(&node));
        let mut this =
            Self { provider, office, machine, hub, events, starts: 1, entropy: SeededEntropy::new(7) };
        this.connected().await;
        this
    }

    async fn connected(&mut self) {
        while !matches!(self.events.recv().await, Some(NodeEvent::Connected { .. })) {}
    }
}

#[async_trait]
impl Subject for Side {
    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(ProcessDriver::new(self.hub.clone(), self.entropy.clone(), PORT_BASE))
    }

    fn sold(&self) -> (ProviderId, Region, Tier) {
        (self.provider.into(), "here".into(), Tier::Standard)
    }

    async fn arm(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::DropAnswer => self.machine.mute_effects(&node(self.provider), 1).unwrap(),
            Fault::Away => {
                self.machine.cut(&node(self.provider), true).unwrap();
                self.machine.hang_up(&node(self.provider)).unwrap();
                while !matches!(self.events.recv().await, Some(NodeEvent::Lost { .. })) {}
            }
            // A machine of one's own neither refuses a good order nor counts calls.
            Fault::Refuse | Fault::RateLimit(_) => return false,
        }
        true
    }

    async fn kill_and_reopen(&mut self) {
        self.starts += 1;
        (self.hub, self.events) = hub(&self.office, self.starts);
        self.machine.turn_to(self.hub.clone());
        self.connected().await;
    }

    async fn really_there(&self, label: &InstanceId) -> usize {
        self.machine.count(label)
    }

    async fn really_runs(&self, label: &InstanceId) -> bool {
        self.machine.runs(label)
    }

    async fn plant_stranger(&mut self) {
        let stranger = InstanceCreate {
            instance_id: "somebody's own".into(),
            account: "acct-0001".into(),
            role: InstanceRole::Primary.into(),
            tier: "nano".into(),
            ..InstanceCreate::default()
        };
        let meta = CommandMeta::new("a stranger", Duration::from_secs(5));
        self.hub.command(&node(self.provider), stranger, meta).await.unwrap();
    }
}

mod side_a {
    use super::Side;
    gf_driver::contract_tests!(
        #[tokio::test(start_paused = true)]
        Side::of("local-a").await
    );
}

mod side_b {
    use super::Side;
    gf_driver::contract_tests!(
        #[tokio::test(start_paused = true)]
        Side::of("local-b").await
    );
}
