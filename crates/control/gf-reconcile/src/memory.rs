//! Has primaries' memory copied at intervals ([`copies`]), and lets idle standbys take it in beforehand.
//!
//! A standby that already remembers is promoted without a boot. Only one refresh runs at a time: it costs a machine more
//! than it is worth in haste.

use crate::{Reconcilers, copies, looks::Looks, pairs::Pairs};
use gf_model::{
    AccountId, InstanceId, SnapshotId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
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
use tokio::time::Instant;

/// Before a standby is started anew after an operation on its account: whoever ordered that looks at what came of it,
/// and finds a standby that was just made standing by.
const SETTLED: SignedDuration = SignedDuration::from_secs(15);

/// Copies begin together, so many times in the time between two of one primary: each by itself, in a large fleet, would be
/// a commit of its own, and everybody is woken by each.
const ROUNDS: u32 = 60;

/// After a standby could not take in the newest memory.
const REFRESH_PAUSE: SignedDuration = SignedDuration::from_mins(5);

pub(crate) async fn run(all: Reconcilers, pairs: Pairs) {
    let store = &all.engine.hands().store;
    let mut looks = Looks::new(store, all.cadence.sweep);
    let mut failed: BTreeMap<InstanceId, Timestamp> = BTreeMap::new();
    let mut next_round = Instant::now();
    while looks.next().await {
        if looks.look(|fleet| fleet.frozen().is_some()) {
            continue;
        }
        let now = all.engine.hands().clock.now();
        let every = all.cadence.snapshot;
        if Instant::now() >= next_round {
            let due = looks.look(|fleet| {
                pairs.look(fleet, |index| due(fleet, index.copied_long_ago(now, every).into_iter()))
            });
            if !due.is_empty() {
                next_round = Instant::now() + every / ROUNDS;
                copies::copy_all(&all, due).await;
            }
        }
        let next = looks.look(|fleet| {
            let is_free = |id: &InstanceId| failed.get(id).is_none_or(|at| now >= *at);
            pairs.look(fleet, |index| forgetful_standby(fleet, index.forgetful(), now, is_free))
        });
        if let Some((standby, snapshot)) = next
            && !take_in(&all, &standby, &snapshot).await
        {
            // One that cannot must not keep the others from theirs.
            failed.insert(standby.id.clone(), now + REFRESH_PAUSE);
        }
        failed.retain(|_, at| now < *at);
    }
}

/// Those primaries of these accounts that nobody else is changing.
pub(crate) fn due<'a>(fleet: &Fleet, accounts: impl Iterator<Item = &'a AccountId>) -> Vec<Instance> {
    let primaries: Vec<_> = accounts.filter_map(|account| fleet.primary_of(account)).collect();
    if primaries.is_empty() {
        return Vec::new();
    }
    let held = gf_operations::held(fleet);
    primaries.into_iter().filter(|primary| !is_held(&held, primary)).cloned().collect()
}

/// When the memory of a pair's primary was last copied, or since when it could have been; `None` where nothing is to be
/// copied.
pub(crate) fn copied_at(fleet: &Fleet, gateway: &Gateway) -> Option<Timestamp> {
    let primary = fleet.primary(gateway)?;
    let last = fleet.newest_snapshot(&gateway.account).map(|snapshot| snapshot.taken_at);
    let since = last.or(primary.active_at).unwrap_or(primary.created_at);
    (gateway.desired == Desired::Pair && primary.is_active()).then_some(since)
}

/// Whether that is as long ago, or was written by a clock that was as far ahead.
pub(crate) fn is_long_ago(at: Timestamp, now: Timestamp, every: Duration) -> bool {
    now.duration_since(at).unsigned_abs() >= every
}

/// A standby that serves nobody and knows less than the newest snapshot, and that snapshot.
pub(crate) fn knows_less<'a>(fleet: &'a Fleet, gateway: &Gateway) -> Option<(&'a Instance, &'a Snapshot)> {
    let standby = fleet.standby(gateway)?;
    let newest = fleet.newest_snapshot(&gateway.account)?;
    let knows = standby.remembers.as_ref().and_then(|id| fleet.snapshots.get(id));
    let same = knows.is_some_and(|known| known.digest == newest.digest);
    // While the primary does not serve, the standby may be needed in the next second.
    let primary_serves = fleet.primary(gateway).is_some_and(Instance::is_active);
    (standby.is_active() && !same && primary_serves).then_some((standby, newest))
}

/// The first of these accounts' standbys that knows less, that nobody works on, and that is free.
fn forgetful_standby<'a>(
    fleet: &Fleet,
    accounts: impl Iterator<Item = &'a AccountId>,
    now: Timestamp,
    is_free: impl Fn(&InstanceId) -> bool,
) -> Option<(Instance, Snapshot)> {
    let mut accounts = accounts.peekable();
    accounts.peek()?;
    let worked_on = worked_on(fleet, now);
    let is_worked_on = |standby: &Instance| {
        [standby.account.as_str(), standby.id.as_str()].iter().any(|target| worked_on.contains(target))
    };
    accounts
        .filter_map(|account| knows_less(fleet, fleet.gateways.get(account)?))
        .find(|(standby, _)| !is_worked_on(standby) && is_free(&standby.id))
        .map(|(standby, snapshot)| (standby.clone(), snapshot.clone()))
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
