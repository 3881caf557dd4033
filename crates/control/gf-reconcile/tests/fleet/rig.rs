//! A whole control plane in one process, over a simulated world: real store, hub, driver, engine, door, reconcilers.
//!
//! Time is tokio's and paused; nothing in here waits for real. A [`World`] outlives the control planes that run on it,
//! as providers and machines outlive a process that is killed.

use async_trait::async_trait;
use gf_driver::{Drivers, Enrolment, EnrolmentError};
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, SeededEntropy, control_key},
};
use gf_model::{
    AccountId, ApprovalCode, InstanceId, NodeId, Timestamp,
    ambient::{Clock, Entropy},
    approval::Approval,
    audit::{AuditPhase, AuditRow},
    fleet::Fleet,
    gateway::Gateway,
    instance::Instance,
    node::Node,
    notice::Notice,
    operation::{Operation, OperationState},
    person::{ChannelIdentity, Person, PersonRole, Principal},
    provider::{ProviderId, Region},
    verb::Verb,
};
use gf_node_hub::{Hub, HubConfig};
use gf_operations::{Engine, Hands, Limits, Paths};
use gf_policy::StandardPolicy;
use gf_reconcile::{Cadence, DeliveryError, Messenger, Outbox, Reconcilers, spawn_all};
use gf_requests::{Caller, Options, Outcome, Refusal, Requests};
use gf_secrets::Secrets;
use gf_store::{AuditQuery, Backend, FleetStore, MemoryBackend, StoreOptions};
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
use tokio::{task::JoinSet, time::Instant};

/// How long a test waits, in simulated time, before it says that something never happened.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

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

/// One life of a control plane.
pub struct Rig {
    pub store: FleetStore,
    pub engine: Engine,
    pub requests: Requests,
    pub sim: SimFleet,
    pub said: Arc<Recorder>,
    pub time: Arc<Time>,
    _reconcilers: JoinSet<()>,
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
        let (hub, reports) =
            Hub::new(config, Arc::clone(&self.office) as _, Arc::clone(&clock), Arc::clone(&entropy));
        let desk =
            Desk { office: Arc::clone(&self.office), store: store.clone(), time: Arc::clone(&self.time) };
        let settings =
            SimSettings { seed: self.seed, pace: 1.0, failures: false, state: Some(self.sim_file()) };
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
            paths: Paths { snapshots: "/snapshots".into(), archives: "/archives".into() },
            limits: Limits::default(),
            companion_listens: true,
            base_configuration: Arc::new(json!({ "session": { "dmScope": "main" } })),
        });
        let requests = Requests::new(engine.clone(), Arc::new(StandardPolicy::default()));
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

pub fn agent(name: &str) -> Caller {
    Caller {
        principal: Principal::Agent(name.into()),
        conversation: Some("cli:person-ada".into()),
        trace: String::new(),
        may_approve: false,
    }
}

pub fn person(name: &str) -> Caller {
    Caller {
        principal: Principal::Person(format!("person-{name}").parse().unwrap()),
        conversation: Some(format!("cli:person-{name}")),
        trace: String::new(),
        may_approve: true,
    }
}

pub fn account(number: u32) -> AccountId {
    format!("acct-{number:04}").parse().unwrap()
}

pub fn accounts(count: u32) -> Vec<AccountId> {
    (1..=count).map(account).collect()
}

pub fn provision(count: u32) -> Verb {
    Verb::Provision {
        accounts: accounts(count),
        tier: gf_model::Tier::Standard,
        regions: vec!["eu".into()],
        primary_provider: Some("hetzner".into()),
        standby_provider: Some("vultr".into()),
        purpose: None,
    }
}

/// Reconcilers that protect, and take no snapshots unless a test is about them.
pub fn calm() -> Cadence {
    Cadence { snapshot: Duration::from_secs(30 * 24 * 3600), ..Cadence::default() }
}

/// A control plane that has just begun, with nothing in its fleet.
pub async fn fresh() -> (World, Rig) {
    let world = World::new(1);
    let rig = world.start(Arc::new(MemoryBackend::default()), calm()).await;
    (world, rig)
}

/// The same with so many whole pairs, made by a person with their own key.
pub async fn with_pairs(count: u32) -> (World, Rig) {
    with_pairs_at(count, calm()).await
}

pub async fn with_pairs_at(count: u32, cadence: Cadence) -> (World, Rig) {
    let world = World::new(1);
    let rig = world.start(Arc::new(MemoryBackend::default()), cadence).await;
    let operation = rig.confirmed(provision(count)).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done);
    rig.delivered().await;
    rig.said.told.lock().clear();
    rig.said.posted.lock().clear();
    (world, rig)
}

impl Rig {
    /// What the operator asks for and confirms with their own key.
    pub async fn confirmed(&self, verb: Verb) -> Operation {
        match self.ask_confirmed(verb).await.unwrap() {
            Outcome::Started(operation) => operation,
            other => panic!("it was not started: {other:?}"),
        }
    }

    pub async fn ask_confirmed(&self, verb: Verb) -> Result<Outcome, Refusal> {
        self.requests.request(&person("ada"), verb, Options { confirmed: true, ..Options::default() }).await
    }

    /// What an agent asks for and a person must agree to.
    pub async fn question(&self, verb: Verb) -> Approval {
        match self.requests.request(&agent("commander"), verb, Options::default()).await.unwrap() {
            Outcome::AwaitingApproval(approval) => approval,
            other => panic!("no question was asked: {other:?}"),
        }
    }

    pub fn read<T>(&self, look: impl FnOnce(&Fleet) -> T) -> T {
        self.store.read(look)
    }

    pub fn gateway(&self, number: u32) -> Gateway {
        self.read(|fleet| fleet.gateways[&account(number)].clone())
    }

    pub fn primary(&self, number: u32) -> Instance {
        self.read(|fleet| fleet.primary_of(&account(number)).unwrap().clone())
    }

    pub fn standby(&self, number: u32) -> Instance {
        self.read(|fleet| fleet.standby_of(&account(number)).unwrap().clone())
    }

    pub fn instance(&self, id: &InstanceId) -> Instance {
        self.read(|fleet| fleet.instances[id].clone())
    }

    pub fn approval(&self, code: &ApprovalCode) -> Approval {
        self.read(|fleet| fleet.approvals[code].clone())
    }

    pub fn operations(&self, verb: &str) -> Vec<Operation> {
        self.read(|fleet| {
            fleet.operations.values().filter(|operation| operation.verb.name() == verb).cloned().collect()
        })
    }

    /// Waits until the fleet looks so.
    pub async fn until(&self, what: &str, looks: impl Fn(&Fleet) -> bool) {
        let mut changed = self.store.changed();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                if self.read(&looks) {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("it never happened that {what}:\n{}", self.picture());
        }
    }

    pub async fn ended(&self, operation: &Operation) -> Operation {
        let id = &operation.id;
        self.until("the operation ended", |fleet| fleet.operations[id].finished_at.is_some()).await;
        self.read(|fleet| fleet.operations[id].clone())
    }

    /// Waits until nothing is left to be told.
    pub async fn delivered(&self) {
        self.until("everything was told", |fleet| {
            fleet.notices.values().all(|notice| notice.delivered_at.is_some())
        })
        .await;
    }

    /// Lets simulated time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    pub async fn audit(&self, action: &str) -> Vec<AuditRow> {
        let query = AuditQuery { action: Some(action.to_owned()), after: Some(0), ..AuditQuery::default() };
        self.store.audit(query).await.unwrap()
    }

    /// Every operation that ended has one row for its start and one for each of its ends.
    pub async fn audit_is_whole(&self) {
        let verification = self.store.verify().await.unwrap();
        assert!(verification.is_whole(), "{:?}", verification.findings);
        for operation in self.read(|fleet| fleet.operations.values().cloned().collect::<Vec<_>>()) {
            let rows = self.audit(operation.verb.name()).await;
            let of = |phase: &[AuditPhase]| {
                let own = |row: &&AuditRow| row.entry.operation.as_ref() == Some(&operation.id);
                rows.iter().filter(own).filter(|row| phase.contains(&row.entry.phase)).count()
            };
            assert_eq!(of(&[AuditPhase::Started]), 1, "{} began once", operation.id);
            let ends = of(&[AuditPhase::Done, AuditPhase::Failed]);
            assert_eq!(ends, usize::from(operation.state.is_over()), "{} ended once", operation.id);
        }
    }

    /// What is there, for a failing test.
    pub fn picture(&self) -> String {
        self.read(|fleet| {
            let mut lines = vec![format!("at {}", self.time.now())];
            for gateway in fleet.gateways.values() {
                lines.push(format!(
                    "{} {:?} {} primary {:?} standby {:?} endpoint {:?}",
                    gateway.account,
                    gateway.desired,
                    gateway.generation,
                    gateway.primary,
                    gateway.standby,
                    gateway.endpoint
                ));
            }
            for i in fleet.instances.values() {
                lines.push(format!(
                    "{} {:?} {} since {} channels {} uncertain {} flagged {:?}",
                    i.id, i.role, i.state, i.state_since, i.channels_on, i.uncertain, i.flagged
                ));
            }
            for node in fleet.nodes.values() {
                lines.push(format!("{} connected {} since {}", node.id, node.connected, node.last_change));
            }
            for operation in fleet.operations.values() {
                lines.push(format!(
                    "{} {} {:?} {:?}",
                    operation.id,
                    operation.verb.name(),
                    operation.state,
                    operation.error
                ));
                for record in fleet.lanes_of(&operation.id) {
                    lines.push(format!(
                        "  {} {:?} {:?}",
                        record.lane.target, record.lane.state, record.lane.error
                    ));
                    for step in &record.lane.steps {
                        lines.push(format!(
                            "    {} {:?} {} {:?} {}",
                            step.step.name(),
                            step.state,
                            step.attempts,
                            step.error,
                            step.output
                        ));
                    }
                }
            }
            for notice in fleet.notices.values() {
                lines.push(format!("{} {:?} {:?}", notice.key, notice.text, notice.delivered_at));
            }
            lines.join("\n")
        })
    }
}
