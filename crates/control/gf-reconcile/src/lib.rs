//! Keeps the fleet as it should be.
//!
//! Each reconciler takes no input: it is woken by a timer or by a change, looks at the fleet as it is, and does the
//! same thing whatever woke it. What to do is decided by pure functions ([`observe`], [`decide`]); what changes
//! more than a record goes through the one door, [`gf_requests::Requests`]. No reconciler waits for another.

mod align;
mod approvals;
mod copies;
pub mod decide;
mod downtime;
mod drift;
mod heads;
mod held_back;
mod incidents;
mod leases;
mod looks;
mod memory;
mod nodes;
mod notices;
pub mod observe;
mod outages;
mod pairs;
mod protect;
mod prune;
mod reap;
mod schedules;
mod scores;
mod statuses;
mod usage;
mod work;

pub use held_back::HeldBack;
pub use nodes::forget_connections;
pub use notices::{DeliveryError, Messenger, Outbox};

use gf_node_hub::NodeEvent;
use gf_operations::Engine;
use gf_requests::{Requests, adopt};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};

/// How often each reconciler looks even when nothing seems to have changed.
#[derive(Debug, Clone)]
pub struct Cadence {
    pub sweep: Duration,
    pub protect: Duration,
    /// Between two snapshots of a primary whose memory changed.
    pub snapshot: Duration,
    pub notices: Duration,
    pub heads: Duration,
    /// Between two looks at what the providers really have.
    pub reap: Duration,
    /// Between two looks at who is whose witness.
    pub leases: Duration,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            sweep: Duration::from_secs(10),
            protect: Duration::from_secs(2),
            snapshot: Duration::from_secs(300),
            notices: Duration::from_secs(5),
            heads: Duration::from_secs(60),
            reap: Duration::from_secs(300),
            leases: Duration::from_secs(5),
        }
    }
}

/// What reconcilers act through.
#[derive(Clone)]
pub struct Reconcilers {
    pub engine: Engine,
    pub requests: Requests,
    pub messenger: Arc<dyn Messenger>,
    pub outbox: Arc<dyn Outbox>,
    pub cadence: Cadence,
}

/// Starts all of them. They end when the returned set is dropped.
pub fn spawn_all(all: Reconcilers, reports: mpsc::Receiver<NodeEvent>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let standings = drift::Standings::default();
    let pairs = pairs::Pairs::of(&all.engine.hands().store);
    tasks.spawn(nodes::run(all.clone(), reports, standings.clone()));
    tasks.spawn(notices::run(all.clone()));
    tasks.spawn(heads::run(all.clone()));
    tasks.spawn(settled(&all, align::run(all.clone(), standings)));
    tasks.spawn(settled(&all, protect::run(all.clone(), pairs.clone())));
    tasks.spawn(settled(&all, leases::run(all.clone())));
    tasks.spawn(settled(&all, memory::run(all.clone(), pairs.clone())));
    tasks.spawn(settled(&all, approvals::run(all.clone())));
    tasks.spawn(settled(&all, downtime::run(all.clone(), pairs.clone())));
    tasks.spawn(settled(&all, prune::run(all.clone())));
    tasks.spawn(settled(&all, schedules::run(all.clone())));
    tasks.spawn(settled(&all, scores::run(all.clone())));
    tasks.spawn(settled(&all, outages::run(all.clone())));
    tasks.spawn(settled(&all, statuses::run(all.clone())));
    tasks.spawn(settled(&all, usage::run(all.clone())));
    tasks.spawn(settled(&all, reap::run(all.clone())));
    tasks.spawn(settled(&all, work::run(all.clone())));
    tasks
}

/// Begins when no adoption waits for a person: until then what the store says may be long past, and nothing is decided
/// on it.
fn settled<F: Future<Output = ()>>(all: &Reconcilers, run: F) -> impl Future<Output = ()> + use<F> {
    let store = all.engine.hands().store.clone();
    async move {
        adopt::settled(&store).await;
        run.await;
    }
}
