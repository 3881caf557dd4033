//! A fleet of so many instances: its records, and a store that holds them.

use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{self, Office, SeededEntropy, TokioClock},
};
use gf_model::{Timestamp, fleet::Change};
use gf_store::{FleetStore, SqliteBackend, StoreOptions};
use std::{path::Path, sync::Arc};

/// A moment; the records are of the days before it.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Pairs that have been running for a while, with their nodes. Nothing connects.
pub async fn records(instances: usize) -> Vec<Change> {
    let office = Office::new(testing::control_key());
    let (hub, _reports) = testing::hub(&office, 1);
    let settings = SimSettings { failures: false, ..SimSettings::default() };
    let sim = SimFleet::open(settings, hub, office, TokioClock::starting_now(), SeededEntropy::new(1));
    let sim = sim.expect("a world without a file");
    sim.populate(instances / 2, now())
}

pub fn open(directory: &Path) -> FleetStore {
    let backend = SqliteBackend::open(&directory.join("store/gatewayforge.db")).expect("a database");
    FleetStore::open(Arc::new(backend), StoreOptions::default()).expect("a store")
}

pub async fn fill(store: &FleetStore, records: Vec<Change>) {
    for some in records.chunks(10_000) {
        store.update(|_, tx| some.iter().cloned().for_each(|change| tx.put(change))).await.expect("written");
    }
}

/// Resident memory of this process.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
