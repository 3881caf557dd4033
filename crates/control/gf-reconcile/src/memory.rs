//! Has primaries' memory copied at intervals ([`copies`]), and lets idle standbys take it in beforehand.
//!
//! A standby that already remembers is promoted without a boot. Only one refresh runs at a time: it costs a machine more
//! than it is worth in haste.

use crate::{Reconcilers, copies, looks::Looks};
use gf_model::{
    AccountId, InstanceId, SnapshotId, Timestamp,
    fleet::Fleet,
    gateway::Desired,
    instance::{Instance, InstanceState},
    operation::Operation,
    snapshot::Snapshot,
};
use gf_node_hub::CommandMeta;
use gf_node_proto::SnapshotRestore;
use jiff::SignedDuration;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Before a standby is started anew after an operation on its account: whoever ordered that looks at what came of it,
/// and finds a standby that was just made standing by.
const SETTLED: SignedDuration = SignedDuration::from_secs(15);

/// After a standby could not take in the newest memory.
const REFRESH_PAUSE: SignedDuration = SignedDuration::from_mins(5);

pub(crate) async fn run(all: Reconcilers) {
    let store = &all.engine.hands().store;
    let mut looks = Looks::new(store, all.cadence.sweep);
    let mut failed: BTreeMap<InstanceId, Timestamp> = BTreeMap::new();
    while looks.next().await {
        if looks.look(|fleet| fleet.frozen().is_some()) {
            continue;
        }
        let now = all.engine.hands().clock.now();
        let every = all.cadence.snapshot;
        copies::copy_all(&all, looks.look(|fleet| due(fleet, now, every))).await;
        let forgetful = looks.look(|fleet| forgetful_standbys(fleet, now));
        let next =
            forgetful.into_iter().find(|(standby, _)| failed.get(&standby.id).is_none_or(|at| now >= *at));
        if let Some((standby, snapshot)) = next
            && !take_in(&all, &standby, &snapshot).await
        {
            // One that cannot must not keep the others from theirs.
            failed.insert(standby.id.clone(), now + REFRESH_PAUSE);
        }
        failed.retain(|_, at| now < *at);
    }
}

/// Primaries whose last copy is older than the interval.
pub(crate) fn due(fleet: &Fleet, now: Timestamp, every: Duration) -> Vec<Instance> {
    let held = gf_operations::held(fleet);
    let due = |account: &AccountId, primary: &Instance| {
        let last = fleet.newest_snapshot(account).map(|snapshot| snapshot.taken_at);
        let since = last.or(primary.active_at).unwrap_or(primary.created_at);
        now.duration_since(since).unsigned_abs() >= every
    };
    fleet
        .gateways
        .values()
        .filter(|gateway| gateway.desired == Desired::Pair)
        .filter_map(|gateway| fleet.primary_of(&gateway.account))
        .filter(|primary| primary.is_active() && due(&primary.account, primary) && !is_held(&held, primary))
        .cloned()
        .collect()
}

/// Standbys that serve nobody and know less than the newest snapshot.
pub(crate) fn forgetful_standbys(fleet: &Fleet, now: Timestamp) -> Vec<(Instance, Snapshot)> {
    let worked_on = worked_on(fleet, now);
    fleet
        .gateways
        .values()
        .filter_map(|gateway| {
            let standby = fleet.standby_of(&gateway.account)?;
            let newest = fleet.newest_snapshot(&gateway.account)?;
            let knows = standby.remembers.as_ref().and_then(|id| fleet.snapshots.get(id));
            let same = knows.is_some_and(|known| known.digest == newest.digest);
            let primary_serves = fleet.primary_of(&gateway.account).is_some_and(Instance::is_active);
            // While the primary does not serve, the standby may be needed in the next second.
            let is_worked_on = [standby.account.as_str(), standby.id.as_str()]
                .into_iter()
                .any(|target| worked_on.contains(target));
            (standby.is_active() && !same && primary_serves && !is_worked_on)
                .then(|| (standby.clone(), newest.clone()))
        })
        .collect()
}

/// Targets of every operation that is not over, or has only just ended.
fn worked_on(fleet: &Fleet, now: Timestamp) -> BTreeSet<&str> {
    let recent =
        |operation: &&Operation| operation.finished_at.is_none_or(|at| now.duration_since(at) < SETTLED);
    let lanes = fleet.operations.values().filter(recent).flat_map(|operation| fleet.lanes_of(&operation.id));
    lanes.map(|record| record.lane.target.as_str()).collect()
}

/// Whether an operation is changing the instance or its account now.
fn is_held(held: &BTreeMap<&str, &Operation>, instance: &Instance) -> bool {
    held.contains_key(instance.account.as_str()) || held.contains_key(instance.id.as_str())
}

/// Whether the standby remembers it now.
async fn take_in(all: &Reconcilers, standby: &Instance, snapshot: &Snapshot) -> bool {
    let hands = all.engine.hands();
    let Some(node) = &standby.node else { return false };
    // It stops and starts for this; said beforehand, or its stop would look like its end.
    if !enter(all, standby, InstanceState::Active, InstanceState::Bootstrapping, None).await {
        return false;
    }
    let order = SnapshotRestore {
        instance_id: standby.id.to_string(),
        source: snapshot.location.clone(),
        generation: standby.generation.0,
        wait_ready: true,
    };
    let tried_at = hands.clock.now().as_millisecond();
    let key = format!("refresh/{}/{}/{tried_at}", standby.id, snapshot.id);
    let mut meta = CommandMeta::new(key, hands.limits.long_command);
    meta.generation = standby.generation.0;
    match hands.hub.command(node, order, meta).await {
        Ok(_) => {
            enter(all, standby, InstanceState::Bootstrapping, InstanceState::Active, Some(&snapshot.id)).await
        }
        Err(error) => {
            tracing::warn!(instance = %standby.id, %error, "the standby could not take in the newest memory");
            enter(all, standby, InstanceState::Bootstrapping, InstanceState::Degraded, None).await;
            false
        }
    }
}

/// Moves a standby from one state to another and says what it remembers; `false` where it could not be written, or
/// where the standby became something else before its memory was touched.
async fn enter(
    all: &Reconcilers,
    standby: &Instance,
    from: InstanceState,
    to: InstanceState,
    remembers: Option<&SnapshotId>,
) -> bool {
    let hands = all.engine.hands();
    let now = hands.clock.now();
    let write = hands.store.update(|fleet, tx| {
        let Some(current) = fleet.instances.get(&standby.id) else { return false };
        if from == InstanceState::Active
            && (current.state != from
                || fleet.frozen().is_some()
                || is_held(&gf_operations::held(fleet), current))
        {
            return false;
        }
        let mut current = current.clone();
        if let Some(snapshot) = remembers {
            current.remembers = Some(snapshot.clone());
        }
        // Its node may have told of its start already.
        if current.state == from {
            current.state = to;
            current.state_since = now;
        }
        tx.put(current);
        true
    });
    write.await.unwrap_or_else(|error| {
        tracing::error!(instance = %standby.id, %error, "what a standby does could not be written down");
        false
    })
}
