//! A small control plane: a hub, a driver, and everything that was reported so far.

use gf_driver::{CreatePlace, Driver, MemoryLocation, Place};
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, SeededEntropy, TokioClock, control_key, hub},
};
use gf_model::{
    AccountId, InstanceId, NodeId, Tier,
    fleet::{Change, Record},
    gateway::Generation,
    instance::Role,
};
use gf_node_hub::{CommandError, CommandMeta, Hub, NodeEvent};
use gf_node_proto::{Event, Reply, VerifyingKey, command, event::Kind};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::mpsc;

pub struct Control {
    pub office: Arc<Office>,
    pub hub: Hub,
    pub sim: SimFleet,
    reports: mpsc::Receiver<NodeEvent>,
}

pub fn id(name: &str) -> InstanceId {
    name.parse().unwrap()
}

pub fn settings() -> SimSettings {
    SimSettings { failures: false, ..SimSettings::default() }
}

pub fn start(office: Arc<Office>, settings: SimSettings) -> Control {
    let (hub, reports) = hub(&office, 1);
    let (clock, entropy) = (TokioClock::starting_now(), SeededEntropy::new(1));
    let sim = SimFleet::open(settings, hub.clone(), Arc::clone(&office) as _, clock, entropy).unwrap();
    Control { office, hub, sim, reports }
}

pub fn fresh() -> Control {
    start(Office::new(control_key()), settings())
}

pub fn order(label: &str) -> CreatePlace {
    CreatePlace {
        label: id(label),
        account: "acct-0042".parse::<AccountId>().unwrap(),
        role: Role::Primary,
        tier: Tier::Standard,
        provider: "hetzner".into(),
        region: "nbg1".into(),
        generation: Generation(1),
        memory: None,
        configuration: serde_json::json!({"session": {"dmScope": "main"}}),
        owned: serde_json::json!({}),
        revision: String::new(),
    }
}

pub fn remembering(label: &str, snapshot: &str) -> CreatePlace {
    CreatePlace { memory: Some(MemoryLocation::Snapshot(snapshot.to_owned())), ..order(label) }
}

impl Control {
    /// The next report; events are taken care of at once.
    pub async fn report(&mut self) -> NodeEvent {
        self.reports.recv().await.unwrap()
    }

    pub async fn event(&mut self) -> Event {
        loop {
            if let NodeEvent::Reported { event, receipt, .. } = self.report().await {
                receipt.done();
                return event;
            }
        }
    }

    pub async fn kind(&mut self) -> Kind {
        self.event().await.kind.unwrap()
    }

    /// Orders a place and waits until its OpenClaw serves.
    pub async fn ready(&mut self, order: &CreatePlace) -> Place {
        let place = self.sim.driver().create(order).await.unwrap();
        while !matches!(self.kind().await, Kind::Ready(_)) {}
        place
    }

    pub async fn connected(&mut self, count: usize) -> BTreeSet<NodeId> {
        let mut nodes = BTreeSet::new();
        while nodes.len() < count {
            if let NodeEvent::Connected { node, .. } = self.report().await {
                nodes.insert(node);
            }
        }
        nodes
    }

    pub async fn tell(
        &self,
        place: &Place,
        key: &str,
        body: impl Into<command::Body>,
    ) -> Result<Reply, CommandError> {
        self.hub.command(&place.node, body, CommandMeta::new(key, Duration::from_secs(60))).await
    }

    /// Lets the nodes of a populated fleet in, as a store that holds its records does.
    pub fn know(&self, changes: &[Change]) {
        for change in changes {
            if let Change::Put(Record::Node(node)) = change {
                let bytes: [u8; 32] = hex::decode(&node.public_key).unwrap().try_into().unwrap();
                self.office.know(node.id.clone(), VerifyingKey::from_bytes(&bytes).unwrap());
            }
        }
    }
}
