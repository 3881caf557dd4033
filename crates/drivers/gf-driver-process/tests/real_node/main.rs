//! The driver contract on a real `gf-clawnode host` over a real WebSocket. What it starts is a stand-in that
//! sleeps: what is judged is places, and that what is gone is gone from the disk and the process table.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod link;
mod node;

use async_trait::async_trait;
use gf_driver::{
    Driver,
    contract::{Fault, Subject},
};
use gf_driver_process::{Patience, ProcessDriver};
use gf_driver_sim::testing::{Office, SeededEntropy, control_key, hub};
use gf_model::{
    InstanceId, NodeId, Tier,
    provider::{ProviderId, Region},
};
use gf_node_hub::{Hub, NodeEvent};
use link::Link;
use node::Node;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Long enough for a busy machine, short enough that a lost answer does not hold up the tests.
const PATIENCE: Duration = Duration::from_secs(8);

struct Real {
    node: Node,
    link: Link,
    office: Arc<Office>,
    hub: Hub,
    events: mpsc::Receiver<NodeEvent>,
    entropy: Arc<SeededEntropy>,
    starts: u64,
    port_base: u16,
}

fn node_id() -> NodeId {
    "node-local-a".parse().unwrap()
}

impl Real {
    async fn new(nth: u16) -> Self {
        let office = Office::new(control_key());
        let (hub, events) = hub(&office, 1);
        let link = Link::listen(hub.clone()).await;
        let node = Node::start(link.port, &office.mint(&node_id()));
        let entropy = SeededEntropy::new(7);
        // Each test has ports of its own.
        let port_base = 43_000 + 100 * nth;
        let mut this = Self { node, link, office, hub, events, entropy, starts: 1, port_base };
        this.connected().await;
        this
    }

    async fn connected(&mut self) {
        while !matches!(self.events.recv().await, Some(NodeEvent::Connected { .. })) {}
    }
}

#[async_trait]
impl Subject for Real {
    fn driver(&self) -> Arc<dyn Driver> {
        let patience = Patience { create: PATIENCE, stop: PATIENCE, look: PATIENCE };
        let driver = ProcessDriver::new(self.hub.clone(), self.entropy.clone(), self.port_base);
        Arc::new(driver.with_patience(patience))
    }

    fn sold(&self) -> (ProviderId, Region, Tier) {
        ("local-a".into(), "here".into(), Tier::Standard)
    }

    async fn arm(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::DropAnswer => self.link.lose_answers(1),
            Fault::Away => {
                self.node.kill();
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
        self.link.turn_to(self.hub.clone());
        self.connected().await;
    }

    async fn really_there(&self, label: &InstanceId) -> usize {
        self.node.directories(label)
    }

    async fn really_runs(&self, label: &InstanceId) -> bool {
        self.node.processes(label) > 0
    }

    async fn plant_stranger(&mut self) {
        self.node.plant_stranger();
    }
}

/// A number for each test of this process.
fn nth() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static TESTS: AtomicU16 = AtomicU16::new(0);
    // nextest runs each test in a process of its own.
    TESTS.fetch_add(1, Ordering::Relaxed) + (std::process::id() % 200) as u16
}

gf_driver::contract_tests!(
    #[tokio::test(flavor = "multi_thread")]
    Real::new(nth()).await
);
