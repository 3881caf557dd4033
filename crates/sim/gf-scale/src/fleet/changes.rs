//! Work on many pairs at once, on the whole control plane: a configuration for thousands, and a region that a thousand
//! pairs leave. The simulated providers and machines answer at once, so that what is measured is our own time.

use super::plane::{Machines, Plane, control_runtime, directory_with, processor_time};
use super::{at, crowd};
use crate::{Better, Measured};
use gf_model::{
    AccountId, NodeId, RevisionId, Timestamp,
    fleet::{Change, Fleet},
    gateway::Desired,
    instance::Instance,
    operation::{Operation, OperationState},
    person::{Person, PersonRole, Principal},
    provider::{ProviderId, Region},
    revision::Revision,
    verb::{Outage, Pace, Strategy, Verb},
};
use gf_operations::Mandate;
use gf_planner::IdSource;
use gf_requests::{Caller, Options, Outcome, Push};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// Nodes that a configuration is pushed to: each has one instance, two are a pair.
const PUSHED: usize = 10_000;
/// So many instances that some region has more than [`LEAVING`] primaries with a standby elsewhere.
const AROUND: usize = 40_000;
const LEAVING: usize = 1_000;
/// The simulated machines' thread.
const MACHINES: [&str; 1] = ["machines"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    at_once_s: f64,
    canary_s: f64,
    settling_s: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    took_s: f64,
    /// Of the processors, in the machines' own thread meanwhile.
    machines_s: f64,
    place: String,
}

impl Left {
    /// What is not the machines' on a host whose every core is used.
    fn ours_s(&self) -> f64 {
        self.took_s
            - self.machines_s / std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
    }
}

pub fn rows(measured: &mut Measured, pushed: &Pushed, left: &Left) {
    measured.row(
        &format!("config to {PUSHED} (mem), at once"),
        pushed.at_once_s,
        "s",
        (Better::Less, 1.0),
        "from the plan to the operation's durable end; nodes that answer at once, two a gateway, standby before primary; \
         started past the rules, which let nobody push to so many at once"
            .to_owned(),
    );
    measured.row(
        &format!("config to {PUSHED} (mem), canary 1-10-100-1000-rest with gates"),
        pushed.canary_s,
        "s",
        (Better::Less, 60.0),
        format!(
            "as a person asks for it; {:.0} s of it are the settling times of the gates",
            pushed.settling_s
        ),
    );
    measured.row(
        &format!("{LEAVING} pairs lose a region (sim), our own time until the last is served"),
        left.ours_s(),
        "s",
        (Better::Less, 2.0),
        format!(
            "from the plan to the operation's durable end, in waves of 20; providers that answer at once; {:.2} s in all, of \
             which the simulated machines had {:.2} s of a core beside it; {}, whose nodes are gone; started past the rules, \
             which let a person ask for 50 pairs at a time",
            left.took_s, left.machines_s, left.place
        ),
    );
}

pub fn push() -> Pushed {
    let world = World::with(PUSHED);
    let accounts =
        world.plane.store.read(|fleet| paired(fleet).map(|(account, ..)| account.clone()).collect());
    let at_once_s = world.timed(world.at_once(accounts));
    eprintln!("  a push to {PUSHED} at once: {at_once_s:.2} s");
    let accounts =
        world.plane.store.read(|fleet| paired(fleet).map(|(account, ..)| account.clone()).collect());
    let canary_s = world.timed(world.canary(accounts));
    eprintln!("  … as a canary: {canary_s:.2} s");
    let gates = Pace::CANARY.len() + 1;
    let settling_s = f64::from(Pace::SETTLE_SECONDS) * gates as f64;
    world.end();
    Pushed { at_once_s, canary_s, settling_s }
}

pub fn leave() -> Left {
    let world = World::with(AROUND);
    let (provider, region, accounts, nodes) = world.plane.store.read(fullest);
    for node in &nodes {
        world.machines.sim.unlink(node, true).expect("a machine of the simulation");
        world.machines.sim.hang_up(node).expect("a machine of the simulation");
    }
    let gone =
        |fleet: &Fleet| nodes.iter().all(|node| fleet.nodes.get(node).is_some_and(|node| !node.connected));
    world.control.block_on(until(&world.plane, gone));
    let place = format!("{} {}", provider.0, region.0);
    let verb = Verb::Failover {
        account: accounts[0].clone(),
        reason: "the region is lost".to_owned(),
        outage: Some(Outage { provider, region: Some(region), accounts }),
    };
    let before = processor_time(&MACHINES);
    let took_s = world.timed(world.start_past_the_rules(&verb));
    let machines_s = (processor_time(&MACHINES) - before).as_secs_f64();
    eprintln!(
        "  {LEAVING} pairs left {place} after {took_s:.2} s, {machines_s:.2} s of a core in the machines"
    );
    world.end();
    Left { took_s, machines_s, place }
}

struct World {
    machines: Machines,
    plane: Plane,
    control: Runtime,
    _directory: tempfile::TempDir,
}

impl World {
    /// A control plane beside so many instances that answer at once, when everything is quiet.
    fn with(instances: usize) -> Self {
        let (mut machines, mut records) = Machines::at_pace(instances, 0.0);
        records.push(admin());
        let directory = directory_with(records);
        let control = control_runtime();
        let store = crowd::open(directory.path());
        let plane = control.block_on(Plane::start(store, directory.path(), &machines));
        machines.let_go(&plane, &control);
        at::wait_for_all(&plane, instances, Instant::now());
        thread::sleep(at::SETTLING);
        Self { machines, plane, control, _directory: directory }
    }

    /// Seconds until the operation that this starts has ended, well.
    fn timed(&self, start: impl Future<Output = Operation>) -> f64 {
        let began = Instant::now();
        self.control.block_on(async {
            let id = start.await.id;
            let over = |fleet: &Fleet| fleet.operations.get(&id).is_some_and(|it| it.finished_at.is_some());
            until(&self.plane, over).await;
            let ended = self.plane.store.read(|fleet| fleet.operations[&id].clone());
            assert_eq!(ended.state, OperationState::Done, "{:?}", ended.error);
        });
        began.elapsed().as_secs_f64()
    }

    async fn at_once(&self, accounts: Vec<AccountId>) -> Operation {
        let revision = RevisionId(self.plane.store.read(|fleet| fleet.newest_revision().0) + 1);
        let record = Revision {
            id: revision,
            description: "at once".to_owned(),
            patch: json!({ "tts": { "auto": "always" } }),
            digest: "at once".to_owned(),
            created_at: crowd::now(),
            created_by: ada().principal,
        };
        self.plane.store.update(|_, tx| tx.put(record)).await.expect("written");
        let pace = Pace::default();
        let verb =
            Verb::ConfigPush { accounts, revision, strategy: Strategy::Immediate, batch_size: 1, pace };
        self.start_past_the_rules(&verb).await
    }

    /// The rules let nobody change so many at once.
    async fn start_past_the_rules(&self, verb: &Verb) -> Operation {
        let plan = self.plane.store.read(|fleet| gf_planner::plan(fleet, verb, &mut Nobody, crowd::now()));
        let mandate = Mandate { principal: ada().principal, approval: None, conversation: None, trace: None };
        self.plane.engine.start(plan.expect("a plan"), mandate).await.expect("started")
    }

    async fn canary(&self, accounts: Vec<AccountId>) -> Operation {
        let push = Push {
            accounts,
            patch: json!({ "tts": { "auto": "never" } }),
            description: "canary".to_owned(),
            strategy: Strategy::Rolling,
            batch_size: 0,
            pace: Pace::gated(Pace::CANARY.to_vec()),
        };
        let options = Options { confirmed: true, ..Options::default() };
        started(self.plane.requests.push(&ada(), push, options).await.expect("it is allowed"))
    }

    fn end(self) {
        self.control.block_on(self.plane.stop());
    }
}

/// Neither a push nor a failover makes new ids.
struct Nobody;

impl IdSource for Nobody {
    fn next_u64(&mut self) -> u64 {
        0
    }
}

fn ada() -> Caller {
    Caller {
        principal: Principal::Person("person-ada".parse().expect("a name")),
        conversation: None,
        trace: String::new(),
        may_approve: true,
    }
}

fn admin() -> Change {
    Person {
        id: "person-ada".parse().expect("a name"),
        first_name: "Ada".to_owned(),
        role: PersonRole::Admin,
        identities: Vec::new(),
        key_sha256: Vec::new(),
        signing_keys: Vec::new(),
        zone: None,
        created_at: Timestamp::UNIX_EPOCH,
        disabled: false,
    }
    .into()
}

fn started(outcome: Outcome) -> Operation {
    match outcome {
        Outcome::Started(operation) => operation,
        other => panic!("it was not started: {other:?}"),
    }
}

async fn until(plane: &Plane, holds: impl Fn(&Fleet) -> bool) {
    let mut changed = plane.store.changed();
    let deadline = Instant::now() + Duration::from_secs(1800);
    while !plane.store.read(&holds) {
        assert!(Instant::now() < deadline, "it did not come to pass");
        let _ = tokio::time::timeout(Duration::from_millis(100), changed.changed()).await;
        // A look at everything must not be a part of what is measured.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Pairs that are whole.
fn paired(fleet: &Fleet) -> impl Iterator<Item = (&AccountId, &Instance, &Instance)> {
    let served = fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair);
    served.filter_map(|gateway| {
        let (primary, standby) = (fleet.primary_of(&gateway.account)?, fleet.standby_of(&gateway.account)?);
        (primary.is_active() && standby.is_active()).then_some((&gateway.account, primary, standby))
    })
}

/// The place with the most primaries that have a standby elsewhere: a thousand of these, and their nodes.
fn fullest(fleet: &Fleet) -> (ProviderId, Region, Vec<AccountId>, Vec<NodeId>) {
    let mut places: BTreeMap<(ProviderId, Region), Vec<(AccountId, NodeId)>> = BTreeMap::new();
    for (account, primary, standby) in paired(fleet) {
        if let Some(node) = primary.node.clone().filter(|_| standby.provider != primary.provider) {
            let place = (primary.provider.clone(), primary.region.clone());
            places.entry(place).or_default().push((account.clone(), node));
        }
    }
    let ((provider, region), pairs) =
        places.into_iter().max_by_key(|(_, pairs)| pairs.len()).expect("a place");
    assert!(pairs.len() >= LEAVING, "only {} pairs are in the fullest region", pairs.len());
    let (accounts, nodes) = pairs.into_iter().take(LEAVING).unzip();
    (provider, region, accounts, nodes)
}
