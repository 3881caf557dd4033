//! Durable changes a second, through the store's own group commit, with the records that a fleet really changes.

use super::{crowd, plane};
use crate::{Better, Measured};
use gf_model::{
    InstanceId, OperationId, Timestamp,
    fleet::{Change, Record},
    instance::InstanceState,
    operation::{Lane, LaneId, LaneRecord, LaneState, Step, StepState},
};
use gf_store::FleetStore;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

const SPAN: Duration = Duration::from_secs(5);
/// Who wait for the disk at the same time, as nodes that report and lanes that run do.
const CHANGING: usize = 1024;
const STEPPING: usize = 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// By how many share a commit.
    bare: BTreeMap<usize, f64>,
    changes: f64,
    steps: f64,
}

pub fn rows(measured: &mut Measured, rates: &Rates) {
    let bare: Vec<String> = rates.bare.iter().map(|(group, rate)| format!("{rate:.0} by {group}")).collect();
    let how = |callers: usize, what: &str| {
        format!("{callers} callers, 5 s; {what}; bare rows in the same run, full sync: {}", bare.join(", "))
    };
    measured.row(
        "durable state changes a second, SQLite, full sync",
        rates.changes,
        "/s",
        (Better::More, 40_000.0),
        how(CHANGING, "each an instance's record, decided on what it was"),
    );
    measured.row(
        "durable operation steps a second, SQLite, full sync",
        rates.steps,
        "/s",
        (Better::More, 15_000.0),
        how(STEPPING, "each a lane's record twice, begun and done"),
    );
}

pub fn read() -> Rates {
    let runtime = plane::control_runtime();
    let directory = tempfile::tempdir().expect("a directory");
    let bare = [1, 16, 256].map(|group| (group, bare(directory.path(), group)));
    let (changes, steps) = runtime.block_on(async {
        let store = crowd::open(directory.path());
        let records = crowd::records(10_000).await;
        let instances: Vec<InstanceId> = records
            .iter()
            .filter_map(|change| match change {
                Change::Put(Record::Instance(instance)) => Some(instance.id.clone()),
                _ => None,
            })
            .collect();
        crowd::fill(&store, records).await;
        let changes = changes(&store, &instances, CHANGING).await;
        let steps = steps(&store, &instances, STEPPING).await;
        store.close().await;
        (changes, steps)
    });
    Rates { bare: bare.into(), changes, steps }
}

/// What SQLite itself makes durable, in rows of an instance's size.
fn bare(directory: &Path, group: usize) -> f64 {
    let path = directory.join(format!("bare-{group}.db"));
    let mut connection = rusqlite::Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE rows (id TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;",
        )
        .expect("a table");
    let began = Instant::now();
    let mut written = 0;
    while began.elapsed() < SPAN {
        let tx = connection.transaction().expect("a transaction");
        for nth in 0..group {
            // Each other than the one it replaces: SQLite writes nothing for a row that stays as it was.
            let (id, json) =
                (format!("i-{:08x}", (written + nth) % 10_000), format!("{:0>700}", written + nth));
            tx.prepare_cached("INSERT OR REPLACE INTO rows VALUES (?1, ?2)")
                .and_then(|mut put| put.execute([&id, &json]))
                .expect("a row");
        }
        tx.commit().expect("a commit");
        written += group;
    }
    written as f64 / began.elapsed().as_secs_f64()
}

async fn changes(store: &FleetStore, instances: &[InstanceId], callers: usize) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, mine) =
                (store.clone(), instances.iter().skip(caller).step_by(callers).cloned().collect::<Vec<_>>());
            tokio::spawn(async move {
                let mut made = 0;
                while began.elapsed() < SPAN {
                    let id = &mine[made % mine.len()];
                    let write = store.update(|fleet, tx| {
                        if let Some(instance) = fleet.instances.get(id) {
                            let mut changed = instance.clone();
                            changed.state = match changed.state {
                                InstanceState::Active => InstanceState::Degraded,
                                _ => InstanceState::Active,
                            };
                            changed.state_since = Timestamp::now();
                            tx.put(changed);
                        }
                    });
                    write.await.expect("durable");
                    made += 1;
                }
                made
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += task.await.expect("a caller");
    }
    made as f64 / began.elapsed().as_secs_f64()
}

/// A step as the engine writes it: begun, and done.
async fn steps(store: &FleetStore, instances: &[InstanceId], callers: usize) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = store.clone();
            let (one, two) = (instances[2 * caller].clone(), instances[2 * caller + 1].clone());
            tokio::spawn(async move {
                let mut made = 0;
                while began.elapsed() < SPAN {
                    let operation = OperationId::from_bits((caller as u64) << 32 | (made as u64), 12);
                    let steps = vec![
                        Step::Restart { instance: one.clone() },
                        Step::AwaitActive { instance: one.clone() },
                        Step::Restart { instance: two.clone() },
                        Step::AwaitActive { instance: two.clone() },
                    ];
                    let mut record = LaneRecord {
                        id: LaneId { operation, stage: 0, index: 0 },
                        lane: Lane::new(one.as_str(), steps),
                    };
                    for index in 0..4 {
                        record.lane.state = LaneState::Running;
                        record.lane.steps[index].state = StepState::Running;
                        record.lane.steps[index].attempts = 1;
                        record.lane.steps[index].started_at = Some(Timestamp::now());
                        store.update(|_, tx| tx.put(record.clone())).await.expect("durable");
                        record.lane.steps[index].state = StepState::Done;
                        record.lane.steps[index].finished_at = Some(Timestamp::now());
                        store.update(|_, tx| tx.put(record.clone())).await.expect("durable");
                        made += 1;
                    }
                }
                made
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += task.await.expect("a caller");
    }
    made as f64 / began.elapsed().as_secs_f64()
}
