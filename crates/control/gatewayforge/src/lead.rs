//! From a control plane that only reads to the one that decides: what it writes first, and what it starts.
//!
//! Everything here happens under the lease, in this order: nothing is decided before what another one did is counted, and
//! no node is taken in before its last connection is forgotten.

use crate::{boot::Base, first_start, heartbeat::Heartbeat, keys, places, store};
use anyhow::{Context, Result};
use gf_driver::Drivers;
use gf_driver_sim::SimFleet;
use gf_model::{audit::AuditEntry, fleet::Once, person::Principal};
use gf_node_hub::{Hub, NodeEvent};
use gf_reconcile::Reconcilers;
use gf_requests::adopt;
use gf_store_postgres::PostgresBackend;
use serde_json::json;
use std::{path::PathBuf, sync::Arc};
use tokio::{sync::mpsc, task::JoinSet};

/// What leads once it may.
pub struct Stack {
    pub base: Base,
    pub keys_dir: PathBuf,
    pub shared: Option<Arc<PostgresBackend>>,
    /// The fleet of this home's keys was not in the database when this one came up.
    pub lost: bool,
    pub hub: Hub,
    pub drivers: Drivers,
    /// Kept for as long as the process runs: it ends when it is dropped.
    pub sim: Option<Arc<SimFleet>>,
    pub sim_pairs: u32,
    pub reconcilers: Reconcilers,
    pub reports: mpsc::Receiver<NodeEvent>,
    /// Who outside is told that this one works.
    pub heartbeat: Option<Heartbeat>,
}

/// The reconcilers, which end when this is dropped.
pub async fn lead(stack: Stack) -> Result<JoinSet<()>> {
    let Stack { base, keys_dir, shared, lost, hub, drivers, sim, sim_pairs, reconcilers, reports, heartbeat } =
        stack;
    let (store, clock) = (&base.store, &base.clock);
    if let Some(backend) = &shared {
        keys::note(backend, &keys_dir)?;
        // Nobody else has begun meanwhile.
        if lost && store.position().number == 0 {
            store::tell_lost(store, clock.now(), "everything").await?;
        }
        tell_losses(&base, backend).await?;
    }
    first_start::admin(store, &keys_dir, &**clock, &*base.entropy).await?;
    gf_reconcile::forget_connections(store, clock.now())
        .await
        .context("the nodes' state could not be written")?;
    places::offer_and_fill(store, &drivers, sim.as_deref(), sim_pairs, clock.now()).await?;
    reconcilers.requests.count_anew();
    let me = Principal::Service("gatewayforge".to_owned());
    reconcilers.requests.note_rules(&me).await.context("the rules could not be written down")?;
    hub.lead(store.generation());
    let (engine, waits) = (reconcilers.engine.clone(), store.read(|fleet| adopt::is_open(fleet).is_some()));
    let mut tasks = gf_reconcile::spawn_all(reconcilers, reports);
    if let Some(heartbeat) = heartbeat {
        tasks.spawn(heartbeat.run(base.store.clone(), base.clock.clone()));
    }
    match waits {
        false => engine.resume_all(),
        true => {
            tracing::warn!("nothing is decided until a person has looked at what is there: clawops adopt");
            let store = store.clone();
            tasks.spawn(async move {
                adopt::settled(&store).await;
                engine.resume_all();
            });
        }
    }
    Ok(tasks)
}

/// What a person accepted is in the trail, once. What was made in the lost part is still there, and the store does not know of
/// it: nothing is decided before a person has looked at it.
async fn tell_losses(base: &Base, backend: &PostgresBackend) -> Result<()> {
    for loss in backend.losses()? {
        let key = format!("store-loss:{}:{}", loss.after_number, loss.lost_number);
        if base.store.read(|fleet| fleet.once.contains_key(&key)) {
            continue;
        }
        let now = base.clock.now();
        let detail = json!({
            "transactions": {"from": loss.after_number + 1, "to": loss.lost_number},
            "rows": {"from": loss.after_row + 1, "to": loss.lost_row},
            "acceptedBy": loss.by,
        });
        let me = Principal::Service("gatewayforge".to_owned());
        let row = AuditEntry::noted(now, me, "store.loss", vec!["store".to_owned()], detail.clone());
        let written = base.store.update(|_, tx| {
            tx.audit(row);
            tx.put(adopt::open(now, adopt::Why::Lost, detail.clone()));
            tx.put(Once { key, at: now, answer: detail });
        });
        written.await.context("an accepted loss could not be written into the trail")?;
    }
    Ok(())
}
