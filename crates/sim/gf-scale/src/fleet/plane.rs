//! A whole control plane on a database, and simulated machines on a runtime of their own.

use super::crowd;
use async_trait::async_trait;
use gf_driver::Drivers;
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{self, Office, SeededEntropy},
};
use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
    fleet::{Change, Fleet, Record},
    notice::Notice,
};
use gf_node_hub::{Hub, HubConfig};
use gf_node_proto::VerifyingKey;
use gf_operations::{Engine, Hands, Limits, Paths};
use gf_reconcile::{Cadence, DeliveryError, Messenger, Outbox, Reconcilers};
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::FleetStore;
use serde_json::json;
use std::{path::Path, sync::Arc, thread, time::Duration};
use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
    task::JoinSet,
};

/// As many as a hub hears at the same time: what is measured is the control plane, not how patiently machines queue.
const AT_THE_DOOR: usize = 64;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Nobody is there to be told, and everything is taken.
struct Anybody;

#[async_trait]
impl Messenger for Anybody {
    async fn tell(&self, _: &str, _: &Notice) -> Result<(), DeliveryError> {
        Ok(())
    }

    fn operators(&self, _: &Fleet) -> Vec<String> {
        vec!["cli:person-ada".to_owned()]
    }
}

#[async_trait]
impl Outbox for Anybody {
    async fn post(&self, _: &str, _: &Notice, _: &serde_json::Value) -> Result<(), DeliveryError> {
        Ok(())
    }
}

/// Machines that run on a thread of their own once they are let go.
pub struct Machines {
    pub sim: SimFleet,
    pub office: Arc<Office>,
    runtime: Option<Runtime>,
    inside: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Machines {
    /// As many as there are instances, and the records that speak of them. They stand still.
    pub fn of(instances: usize) -> (Self, Vec<Change>) {
        Self::at_pace(instances, 1.0)
    }

    /// The same at another pace than the usual one.
    pub fn at_pace(instances: usize, pace: f64) -> (Self, Vec<Change>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let office = Office::new(testing::control_key());
        let _inside = runtime.enter();
        let (hub, _reports) = testing::hub(&office, 1);
        let settings =
            SimSettings { failures: false, pace, at_the_door: AT_THE_DOOR, ..SimSettings::default() };
        let sim = SimFleet::open(settings, hub, office.clone(), Arc::new(Wall), SeededEntropy::new(1));
        let sim = sim.expect("a world without a file");
        sim.abandon();
        let records = sim.populate(instances / 2, Timestamp::now());
        for record in &records {
            if let Change::Put(Record::Node(node)) = record {
                let key = hex::decode(&node.public_key).ok().and_then(|bytes| bytes.try_into().ok());
                let key = key.and_then(|bytes: [u8; 32]| VerifyingKey::from_bytes(&bytes).ok());
                office.know(node.id.clone(), key.expect("a simulated node's key"));
            }
        }
        let inside = runtime.handle().clone();
        drop(_inside);
        (Self { sim, office, runtime: Some(runtime), inside, stop: None, thread: None }, records)
    }

    /// They connect to this hub.
    pub fn let_go(&mut self, plane: &Plane, control: &Runtime) {
        let Some(runtime) = self.runtime.take() else { return };
        {
            let _inside = runtime.enter();
            self.sim.serve_on(control.handle().clone());
            self.sim.turn_to(plane.hub.clone());
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || drop(runtime.block_on(stopped));
        self.thread = Some(thread::Builder::new().name("machines".into()).spawn(run).expect("a thread"));
        self.stop = Some(stop);
    }

    /// Their control plane goes away; they hold what it gave them, and dial in vain.
    pub fn abandon(&self) {
        let _inside = self.inside.enter();
        self.sim.abandon();
    }

    /// Another one has come up in its place.
    pub fn turn_to(&self, plane: &Plane) {
        let _inside = self.inside.enter();
        self.sim.turn_to(plane.hub.clone());
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub struct Plane {
    pub store: FleetStore,
    pub hub: Hub,
    pub engine: Engine,
    pub requests: Requests,
    reconcilers: JoinSet<()>,
}

impl Plane {
    /// Takes the fleet in this store up, as the program does.
    pub async fn start(store: FleetStore, home: &Path, machines: &Machines) -> Self {
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(Wall), SeededEntropy::new(2));
        let mut config = HubConfig::new(testing::control_key(), store.generation());
        config.heartbeat_interval = Duration::from_secs(10);
        let office = machines.office.clone();
        let (hub, reports) = Hub::new(config, office, clock.clone(), entropy.clone());
        let drivers = Drivers::new([Arc::new(machines.sim.driver()) as _]).expect("the driver");
        let key = home.join("master.key");
        let secrets = Secrets::open(store.clone(), &key, entropy.clone()).await.expect("secrets");
        let engine = Engine::new(Hands {
            store: store.clone(),
            drivers,
            hub: hub.clone(),
            secrets,
            clock: clock.clone(),
            entropy,
            paths: Paths {
                snapshots: "/simulated/snapshots".into(),
                archives: "/simulated/archives".into(),
                releases: "/simulated/releases".into(),
            },
            limits: Limits::default(),
            companion_listens: true,
            base_configuration: Arc::new(json!({ "session": { "dmScope": "main" } })),
        });
        let requests = Requests::new(engine.clone(), Arc::new(gf_policy_cedar::standard()));
        let all = Reconcilers {
            engine: engine.clone(),
            requests: requests.clone(),
            messenger: Arc::new(Anybody),
            outbox: Arc::new(Anybody),
            cadence: Cadence::default(),
        };
        gf_reconcile::forget_connections(&store, clock.now()).await.expect("written");
        engine.resume_all();
        let reconcilers = gf_reconcile::spawn_all(all, reports);
        Self { store, hub, engine, requests, reconcilers }
    }

    pub async fn stop(mut self) {
        self.engine.halt();
        self.reconcilers.shutdown().await;
        self.hub.shut_down();
        self.store.close().await;
    }

    /// How many nodes the store knows to be connected.
    pub fn connected(&self) -> usize {
        self.store.read(|fleet| fleet.nodes.values().filter(|node| node.connected).count())
    }

    /// Whether every node is there and has told what it runs.
    pub fn observes_all(&self, nodes: usize) -> bool {
        self.connected() == nodes
            && self.hub.nodes().iter().filter(|node| node.last_heartbeat.is_some()).count() == nodes
    }
}

/// Processor time that threads of these names have used.
pub fn processor_time(names: &[&str]) -> Duration {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let text = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if names.contains(&text("comm").trim()) {
            let first =
                text("schedstat").split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok());
            nanos += first.unwrap_or_default();
        }
    }
    Duration::from_nanos(nanos)
}

/// Processor time that this thread has used.
pub fn this_thread() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default(),
    )
}

pub fn control_runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("control").enable_all().build().expect("a runtime")
}

pub fn directory_with(records: Vec<Change>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = control_runtime();
    runtime.block_on(async {
        let store = crowd::open(directory.path());
        crowd::fill(&store, records).await;
        store.close().await;
    });
    directory
}
