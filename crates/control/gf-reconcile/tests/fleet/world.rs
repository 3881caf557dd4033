//! What outlives a control plane (providers, machines, keys, the state on disk, time), what is told to people, and how
//! a control plane is started over it: real store, hub, driver, engine, door and reconcilers.

use crate::rig::Rig;
use async_trait::async_trait;
use gf_driver::{Drivers, Enrolment, EnrolmentError};
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, SeededEntropy, control_key},
};
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
    fleet::Fleet,
    node::Node,
    notice::Notice,
    person::{ChannelIdentity, Person, PersonRole},
    provider::{ProviderId, Region},
};
use gf_node_hub::{Hub, HubConfig};
use gf_operations::{Engine, Hands, Limits, Paths, StoredLeases};
use gf_reconcile::{Cadence, DeliveryError, Messenger, Outbox, Reconcilers, spawn_all};
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::{Backend, FleetStore, StoreOptions};
use parking_lot::Mutex;
use serde_json::json;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What outlives a control plane: providers, machines, keys, the state on disk, and time.
pub struct World {
    pub home: tempfile::TempDir,
    pub office: Arc<Office>,
    pub time: Arc<Time>,
    pub seed: u64,
    pub lives: AtomicU64,
}

/// Simulated time that goes on from one life to the next.
#[derive(Default)]
pub struct Time {
    passed_ms: AtomicI64,
    since: Mutex<Option<Instant>>,
}

impl Time {
    fn begin(&self) {
        *self.since.lock() = Some(Instant::now());
    }

    /// The wall clock is set back; what waits goes on waiting as long.
    pub fn set_back(&self, seconds: i64) {
        self.passed_ms.fetch_sub(seconds * 1000, Ordering::Relaxed);
    }

    pub fn end(&self) {
        let since = self.since.lock().take();
        self.passed_ms.fetch_add(since.map_or(0, |at| at.elapsed().as_millis() as i64), Ordering::Relaxed);
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        const DAY_ONE_MS: i64 = 1_767_225_600_000;
        let here = self.since.lock().map_or(0, |at| at.elapsed().as_millis() as i64);
        Timestamp::from_millisecond(DAY_ONE_MS + self.passed_ms.load(Ordering::Relaxed) + here).unwrap()
    }
}

/// Enrols nodes as the binary does: a record in the store, a token that is used once.
struct Desk {
    office: Arc<Office>,
    store: FleetStore,
    time: Arc<Time>,
}

#[async_trait]
impl Enrolment for Desk {
    async fn token(
        &self,
        id: &NodeId,
        provider: &ProviderId,
        region: &Region,
    ) -> Result<String, EnrolmentError> {
        let node = Node {
            id: id.clone(),
            provider: provider.clone(),
            region: region.clone(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected: false,
            last_change: self.time.now(),
            software: None,
        };
        let write = self.store.update(|_, tx| tx.put(node)).await;
        write.map_err(|source| EnrolmentError { node: id.clone(), source: source.into() })?;
        Ok(self.office.mint(id))
    }
}

/// Everything that was told to people and to COMPANION.
#[derive(Default)]
pub struct Recorder {
    pub told: Mutex<Vec<(String, Notice)>>,
    pub posted: Mutex<Vec<(String, Notice)>>,
    /// So many deliveries fail before one succeeds.
    pub failing: AtomicU64,
}

impl Recorder {
    fn fails(&self) -> Result<(), DeliveryError> {
        let failing =
            self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        failing.map_or(Ok(()), |_| Err(DeliveryError("nobody took it".into())))
    }

    pub fn texts(&self) -> Vec<String> {
        self.told.lock().iter().map(|(_, notice)| notice.text.clone()).collect()
    }

    /// How many times something that begins so was told.
    pub fn count(&self, beginning: &str) -> usize {
        self.texts().iter().filter(|text| text.starts_with(beginning)).count()
    }

    pub fn events(&self) -> Vec<String> {
        self.posted.lock().iter().map(|(event, _)| event.clone()).collect()
    }
}

#[async_trait]
impl Messenger for Recorder {
    async fn tell(&self, conversation: &str, notice: &Notice) -> Result<(), DeliveryError> {
        self.fails()?;
        self.told.lock().push((conversation.to_owned(), notice.clone()));
        Ok(())
    }

    fn operators(&self, _: &Fleet) -> Vec<String> {
        vec!["cli:person-ada".to_owned()]
    }
}

#[async_trait]
impl Outbox for Recorder {
    async fn post(&self, event: &str, notice: &Notice, _: &serde_json::Value) -> Result<(), DeliveryError> {
        self.fails()?;
        self.posted.lock().push((event.to_owned(), notice.clone()));
        Ok(())
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            office: Office::new(control_key()),
            time: Arc::default(),
            seed,
            lives: AtomicU64::new(0),
        }
    }

    pub fn sim_file(&self) -> PathBuf {
        self.home.path().join("sim.jsonl")
    }

    /// Starts a control plane over a state, and the machines with it.
    pub async fn start(&self, backend: Arc<dyn Backend>, cadence: Cadence) -> Rig {
        let life = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        self.time.begin();
        let clock: Arc<dyn Clock> = Arc::clone(&self.time) as _;
        let entropy: Arc<dyn Entropy> = SeededEntropy::new(self.seed * 1000 + life);
        let store = FleetStore::open(backend, StoreOptions::default()).unwrap();
        let mut config = HubConfig::new(control_key(), store.generation());
        config.heartbeat_interval = Duration::from_secs(10);
        config.leases = Some(Arc::new(StoredLeases::new(store.clone())));
        let (hub, reports) =
            Hub::new(config, Arc::clone(&self.office) as _, Arc::clone(&clock), Arc::clone(&entropy));
        let desk =
            Desk { office: Arc::clone(&self.office), store: store.clone(), time: Arc::clone(&self.time) };
        let settings = SimSettings {
            seed: self.seed,
            failures: false,
            state: Some(self.sim_file()),
            ..SimSettings::default()
        };
        let sim =
            SimFleet::open(settings, hub.clone(), Arc::new(desk), Arc::clone(&clock), Arc::clone(&entropy))
                .unwrap();
        let drivers = Drivers::new([Arc::new(sim.driver()) as _]).unwrap();
        let providers = drivers.providers();
        store
            .update(|fleet, tx| {
                for provider in providers {
                    if !fleet.providers.contains_key(&provider.id) {
                        tx.put(provider);
                    }
                }
                for mut node in fleet.nodes.values().cloned() {
                    node.connected = false;
                    node.last_change = clock.now();
                    tx.put(node);
                }
                for person in people() {
                    tx.put(person);
                }
            })
            .await
            .unwrap();
        let secrets =
            Secrets::open(store.clone(), &self.home.path().join("master.key"), Arc::clone(&entropy))
                .await
                .unwrap();
        let engine = Engine::new(Hands {
            store: store.clone(),
            drivers,
            hub,
            secrets,
            clock,
            entropy,
            paths: Paths {
                snapshots: "/snapshots".into(),
                archives: "/archives".into(),
                releases: "/releases".into(),
            },
            limits: Limits::default(),
            companion_listens: true,
            base_configuration: Arc::new(json!({ "session": { "dmScope": "main" } })),
        });
        let requests = Requests::new(engine.clone(), Arc::new(gf_policy_cedar::standard()));
        let said = Arc::<Recorder>::default();
        let all = Reconcilers {
            engine: engine.clone(),
            requests: requests.clone(),
            messenger: Arc::clone(&said) as _,
            outbox: Arc::clone(&said) as _,
            cadence,
        };
        let reconcilers = spawn_all(all, reports);
        engine.resume_all();
        Rig { store, engine, requests, sim, said, time: Arc::clone(&self.time), _reconcilers: reconcilers }
    }
}

fn people() -> Vec<Person> {
    let person = |id: &str, name: &str, role, sender: Option<&str>| Person {
        id: id.parse().unwrap(),
        first_name: name.into(),
        role,
        identities: sender
            .map(|sender| ChannelIdentity { channel: "telegram".into(), sender: sender.into() })
            .into_iter()
            .collect(),
        key_sha256: vec![],
        signing_keys: Vec::new(),
        zone: None,
        created_at: Timestamp::UNIX_EPOCH,
        disabled: false,
    };
    vec![
        person("person-ada", "Ada", PersonRole::Admin, Some("777")),
        person("person-bob", "Bob", PersonRole::Operator, Some("888")),
        person("person-vic", "Vic", PersonRole::Viewer, None),
    ]
}
