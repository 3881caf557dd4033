//! One size of fleet, in a process of its own: memory, looks, plans, a start, a quiet minute, and a restart.

use super::{
    crowd, handshakes,
    look::{self, Plans},
    plane::{Machines, Plane, control_runtime, directory_with, processor_time},
};
use gf_api::view::{status::fleet_status, tally::Tally};
use gf_store::FleetStore;
use gf_tools::FleetStatusParams;
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// What happens after a start has settled by then; heartbeats come every ten seconds.
pub const SETTLING: Duration = Duration::from_secs(20);
/// Starts that are measured where nothing else is.
const STARTS: usize = 5;
const QUIET: Duration = Duration::from_secs(60);
/// A machine that does other things too still tells what it takes, if late.
const PATIENCE: Duration = Duration::from_secs(1800);
/// The control plane's threads: the runtime that serves, and the store's writer.
const CONTROL: [&str; 2] = ["control", "gf-store-writer"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    pub store_mib: f64,
    pub status_p99_ms: f64,
    pub recount_ms: f64,
    pub plans: Plans,
    pub reads_s: f64,
    /// A start with nodes that were never heard before: each proves its key.
    pub first: Observed,
    /// A restart: the nodes hold tickets of the control plane that was.
    pub again: Observed,
    pub quiet_percent: f64,
}

/// From the beginning of a start until every node is there and has told what it runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    pub took_s: f64,
    /// Of which all threads of the control plane used a processor, the machines' ends of the handshakes included.
    pub control_s: f64,
    /// What the machines' thread used.
    pub machines_s: f64,
    /// What the machines' ends of so many handshakes take, measured apart: they run where the control plane's run.
    pub handshakes_s: f64,
}

/// A start under way, and what had been used before.
struct Start {
    began: Instant,
    control: Duration,
    machines: Duration,
}

impl Start {
    fn now() -> Self {
        Self {
            began: Instant::now(),
            control: processor_time(&CONTROL),
            machines: processor_time(&["machines"]),
        }
    }

    fn until_all_are_there(&self, plane: &Plane, instances: usize, handshakes: fn(usize) -> f64) -> Observed {
        wait_for_all(plane, instances, self.began);
        let took_s = self.began.elapsed().as_secs_f64();
        let control_s = processor_time(&CONTROL).saturating_sub(self.control).as_secs_f64();
        let machines_s = processor_time(&["machines"]).saturating_sub(self.machines).as_secs_f64();
        let observed = Observed { took_s, control_s, machines_s, handshakes_s: handshakes(instances) };
        eprintln!("  {instances}: all observed: {observed:?}");
        observed
    }
}

pub fn read(instances: usize) -> Reading {
    let (mut machines, records) = Machines::of(instances);
    let directory = directory_with(records);
    let before = crowd::resident_bytes();
    let control = control_runtime();
    let start = Start::now();
    let store = until_it_reads(directory.path());
    let reads_s = start.began.elapsed().as_secs_f64();
    let store_mib = crowd::resident_bytes().saturating_sub(before) as f64 / f64::from(1 << 20);
    eprintln!("  {instances}: reads after {reads_s:.2} s");

    let plane = control.block_on(Plane::start(store, directory.path(), &machines));
    machines.let_go(&plane, &control);
    let first = start.until_all_are_there(&plane, instances, handshakes::by_keys);

    thread::sleep(SETTLING);
    let (used, since) = (processor_time(&CONTROL), Instant::now());
    thread::sleep(QUIET);
    let quiet_percent =
        100.0 * (processor_time(&CONTROL) - used).as_secs_f64() / since.elapsed().as_secs_f64();

    let looked = plane.store.read(look::at);
    machines.abandon();
    control.block_on(plane.stop());

    let start = Start::now();
    let plane = control.block_on(Plane::start(crowd::open(directory.path()), directory.path(), &machines));
    machines.turn_to(&plane);
    let again = start.until_all_are_there(&plane, instances, handshakes::by_tickets);
    let came = plane.hub.nodes().iter().filter(|node| node.by_ticket).count();
    assert_eq!(came, instances, "by their tickets");
    machines.abandon();
    control.block_on(plane.stop());
    Reading {
        store_mib,
        status_p99_ms: looked.status_p99_ms,
        recount_ms: looked.recount_ms,
        plans: looked.plans,
        reads_s,
        first,
        again,
        quiet_percent,
    }
}

/// A store out of this directory, once the first status of it is counted.
fn until_it_reads(directory: &Path) -> FleetStore {
    let store = crowd::open(directory);
    let params = FleetStatusParams::default();
    let answered = store.read(|fleet| fleet_status(fleet, &Tally::of(fleet), &params, crowd::now()).is_ok());
    assert!(answered, "a status without a filter cannot be refused");
    store
}

/// Starts and plans with nothing beside them: nobody is connected.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alone {
    pub reads_s: Vec<f64>,
    pub plans: Plans,
}

pub fn alone(instances: usize) -> Alone {
    let (machines, records) = Machines::of(instances);
    drop(machines);
    let directory = directory_with(records);
    let control = control_runtime();
    let start = || {
        let began = Instant::now();
        let store = until_it_reads(directory.path());
        let reads_s = began.elapsed().as_secs_f64();
        // Decisions wait for their copy of the fleet, so that none is made beside what follows.
        let decided = control.block_on(store.update(|_, _| ()));
        decided.expect("a decision about nothing");
        (store, reads_s)
    };
    let mut reads = Vec::new();
    for _ in 1..STARTS {
        let (store, reads_s) = start();
        reads.push(reads_s);
        control.block_on(store.close());
    }
    let (store, reads_s) = start();
    reads.push(reads_s);
    let plans = store.read(Plans::of);
    control.block_on(store.close());
    Alone { reads_s: reads, plans }
}

/// Until every node is there and has told what it runs.
pub fn wait_for_all(plane: &Plane, instances: usize, began: Instant) {
    while !plane.observes_all(instances) {
        assert!(began.elapsed() < PATIENCE, "{} of {instances} nodes came back", plane.connected());
        thread::sleep(Duration::from_millis(100));
    }
}
