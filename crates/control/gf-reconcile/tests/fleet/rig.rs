//! A whole control plane in one process, over a simulated world, and what tests do with it.
//!
//! Time is tokio's and paused; nothing in here waits for real. A [`World`] outlives the control planes that run on it,
//! as providers and machines outlive a process that is killed.

pub use crate::world::World;

use crate::world::{Recorder, Time};
use gf_driver_sim::SimFleet;
use gf_model::{
    AccountId, ApprovalCode, InstanceId,
    approval::Approval,
    fleet::Fleet,
    gateway::Gateway,
    instance::Instance,
    operation::{Operation, OperationState},
    person::Principal,
    verb::Verb,
};
use gf_operations::Engine;
use gf_reconcile::Cadence;
use gf_requests::{Caller, Options, Outcome, Refusal, Requests};
use gf_store::{FleetStore, MemoryBackend};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How long a test waits, in simulated time, before it says that something never happened.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// One life of a control plane.
pub struct Rig {
    pub store: FleetStore,
    pub engine: Engine,
    pub requests: Requests,
    pub sim: SimFleet,
    pub said: Arc<Recorder>,
    pub time: Arc<Time>,
    pub _reconcilers: JoinSet<()>,
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

/// Reconcilers that protect, and take no snapshots unless a test is about them. Nor do they look through the providers:
/// a fault that a test arms hits whichever call comes next.
pub fn calm() -> Cadence {
    let never = Duration::from_secs(30 * 24 * 3600);
    Cadence { snapshot: never, reap: never, ..Cadence::default() }
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
}
