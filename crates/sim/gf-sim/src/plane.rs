//! One life of a control plane: the real store, hub, engine, door and reconcilers, over a world that outlives it.

use crate::{
    clock::{SeededEntropy, SimClock},
    clouds::{Clouds, Line},
    disk::Disk,
    listeners::Listeners,
    trace::Trace,
};
use gf_driver::Drivers;
use gf_driver_sim::{SimFleet, testing::Office, testing::control_key};
use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
    person::{ChannelIdentity, Person, PersonRole},
};
use gf_node_hub::{Hub, HubConfig};
use gf_operations::{Engine, Hands, Limits, Paths, StoredLeases};

use gf_reconcile::{Cadence, Reconcilers, spawn_all};
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::{FleetStore, StoreOptions};
use serde_json::json;
use std::{
    error::Error,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinSet;

/// What outlives control planes.
pub struct World {
    pub seed: u64,
    pub trace: Arc<Trace>,
    pub clock: Arc<SimClock>,
    pub disk: Arc<Disk>,
    pub clouds: Arc<Clouds>,
    pub office: Arc<Office>,
    pub sim: SimFleet,
    pub listeners: Arc<Listeners>,
    pub master_key: PathBuf,
}

pub struct Plane {
    pub store: FleetStore,
    pub engine: Engine,
    pub requests: Requests,
    dead: Arc<AtomicBool>,
    reconcilers: JoinSet<()>,
    /// What people are about to do through this control plane.
    pub errands: JoinSet<()>,
}

impl Plane {
    /// Starts as the binary does: take the state over, forget old connections, take up what was under way.
    pub async fn start(world: &World, life: u64) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(world.seed ^ (life << 48)));
        let dead = Arc::new(AtomicBool::new(false));
        let pace = Arc::clone(&world.disk);
        let options = StoreOptions { pace: Some(Arc::new(move || pace.pace())), ..StoreOptions::default() };
        let store = FleetStore::open(world.disk.hold(), options)?;
        let mut config = HubConfig::new(control_key(), store.generation());
        config.heartbeat_interval = std::time::Duration::from_secs(10);
        config.leases = Some(Arc::new(StoredLeases::new(store.clone())));
        let (hub, reports) =
            Hub::new(config, Arc::clone(&world.office) as _, Arc::clone(&clock), Arc::clone(&entropy));
        let line = Line {
            clouds: Arc::clone(&world.clouds),
            dead: Arc::clone(&dead),
            store: store.clone(),
            clock: Arc::clone(&clock),
        };
        let drivers = Drivers::new([Arc::new(line) as _])?;
        let providers = drivers.providers();
        let now = clock.now();
        store
            .update(|fleet, tx| {
                for provider in providers {
                    if !fleet.providers.contains_key(&provider.id) {
                        tx.put(provider);
                    }
                }
                for mut node in fleet.nodes.values().cloned() {
                    node.connected = false;
                    node.last_change = now;
                    tx.put(node);
                }
                if fleet.people.is_empty() {
                    people().into_iter().for_each(|person| tx.put(person));
                }
            })
            .await?;
        let secrets = Secrets::open(store.clone(), &world.master_key, Arc::clone(&entropy)).await?;
        let engine = Engine::new(Hands {
            store: store.clone(),
            drivers,
            hub: hub.clone(),
            secrets,
            clock,
            entropy,
            // Nodes keep copies where they are: nothing of them lies on this machine.
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
            messenger: Arc::clone(&world.listeners) as _,
            outbox: Arc::clone(&world.listeners) as _,
            cadence: Cadence::default(),
        };
        engine.resume_all();
        let reconcilers = spawn_all(all, reports);
        world.sim.turn_to(hub);
        world.trace.note(format_args!("control plane {life} runs"));
        Ok(Self { store, engine, requests, dead, reconcilers, errands: JoinSet::new() })
    }

    /// `kill -9`: wherever its tasks are, they take no further step.
    pub fn kill(mut self, world: &World) {
        self.dead.store(true, Ordering::Relaxed);
        world.disk.die();
        self.engine.halt();
        self.reconcilers.abort_all();
        self.errands.abort_all();
        world.sim.abandon();
        world.trace.note(format_args!("the control plane is dead"));
    }
}

/// Ada answers for everything, Bob operates.
fn people() -> Vec<Person> {
    let person = |id: &str, name: &str, role| {
        Some(Person {
            id: id.parse().ok()?,
            first_name: name.to_owned(),
            role,
            identities: vec![ChannelIdentity { channel: "telegram".into(), sender: name.to_owned() }],
            key_sha256: Vec::new(),
            signing_keys: Vec::new(),
            zone: None,
            created_at: Timestamp::UNIX_EPOCH,
            disabled: false,
        })
    };
    let all =
        [person("person-ada", "Ada", PersonRole::Admin), person("person-bob", "Bob", PersonRole::Operator)];
    all.into_iter().flatten().collect()
}
