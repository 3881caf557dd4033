//! Copies primaries' memory at intervals, keeps the newest few, and lets idle standbys take it in beforehand.
//!
//! A standby that already remembers is promoted without a boot. Only one copy at a time runs on a machine, and one
//! refresh at all: both cost more than they are worth in haste.

use crate::{Reconcilers, looks::Looks};
use gf_model::{
    AccountId, InstanceId, NodeId, SnapshotId, Timestamp,
    fleet::{Fleet, Key},
    gateway::Desired,
    instance::{Instance, InstanceState},
    operation::Operation,
    snapshot::Snapshot,
};
use gf_node_hub::CommandMeta;
use gf_node_proto::{SnapshotCreate, SnapshotReport, SnapshotRestore, reply};
use jiff::SignedDuration;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::task::JoinSet;

/// Machines that copy at the same time.
const ABREAST: usize = 64;

/// Snapshots of an account that are kept.
const KEPT: usize = 3;

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
        let now = all.engine.hands().clock.now();
        let every = all.cadence.snapshot;
        copy_all(&all, looks.look(|fleet| due(fleet, now, every))).await;
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

/// One machine after the other, some side by side; each copies its primaries one by one.
async fn copy_all(all: &Reconcilers, due: Vec<Instance>) {
    let mut machines: BTreeMap<NodeId, Vec<Instance>> = BTreeMap::new();
    for primary in due {
        if let Some(node) = primary.node.clone() {
            machines.entry(node).or_default().push(primary);
        }
    }
    let mut machines = machines.into_iter();
    let mut copying = JoinSet::new();
    let mut grown = BTreeSet::new();
    loop {
        for (node, primaries) in machines.by_ref().take(ABREAST - copying.len()) {
            let all = all.clone();
            copying.spawn(async move { copy_one_by_one(&all, &node, primaries).await });
        }
        let Some(ended) = copying.join_next().await else { break };
        match ended {
            Ok(accounts) => grown.extend(accounts),
            Err(error) => {
                tracing::error!(%error, "a machine's copies ended by themselves; they are due again")
            }
        }
        // Finding what to forget is one walk over all snapshots, for however many accounts.
        if grown.len() >= ABREAST || copying.is_empty() {
            prune(all, &std::mem::take(&mut grown)).await;
        }
    }
}

/// Answers with the accounts that have a snapshot more.
async fn copy_one_by_one(all: &Reconcilers, node: &NodeId, primaries: Vec<Instance>) -> Vec<AccountId> {
    let mut grown = Vec::new();
    for primary in primaries {
        if copy(all, node, &primary).await {
            grown.push(primary.account);
        }
    }
    grown
}

/// Whether there is a snapshot more.
async fn copy(all: &Reconcilers, node: &NodeId, primary: &Instance) -> bool {
    let hands = all.engine.hands();
    let id = SnapshotId::from_bits(hands.entropy.next_u64(), 8);
    let destination = hands.paths.snapshots.join(primary.account.as_str()).join(id.as_str());
    let order = |only_if_changed| SnapshotCreate {
        instance_id: primary.id.to_string(),
        snapshot_id: id.to_string(),
        destination: destination.display().to_string(),
        only_if_changed,
    };
    let newest =
        hands.store.read(|fleet| fleet.newest_snapshot(&primary.account).map(|newest| newest.id.clone()));
    let Some(mut report) = ask(all, primary, node, &format!("snapshot/{id}"), order(newest.is_some())).await
    else {
        return false;
    };
    if !report.changed && newest.as_ref().is_none_or(|newest| newest.as_str() != report.snapshot_id) {
        // Its node compared with a copy that was never written down here, so that one is not to be relied on.
        match ask(all, primary, node, &format!("snapshot/{id}/whole"), order(false)).await {
            Some(whole) => report = whole,
            None => return false,
        }
    }
    let taken_at = Timestamp::from_millisecond(report.taken_at_ms).unwrap_or_else(|_| hands.clock.now());
    let write = hands.store.update(|fleet, tx| {
        let Some(gateway) = fleet.gateways.get(&primary.account) else { return };
        if !report.changed {
            // The memory is what the newest snapshot holds: that one is as good as if it were taken now.
            if let Some(newest) = fleet.newest_snapshot(&primary.account) {
                let mut newest = newest.clone();
                newest.taken_at = taken_at;
                tx.put(newest);
            }
            return;
        }
        tx.put(Snapshot {
            id: id.clone(),
            account: primary.account.clone(),
            instance: primary.id.clone(),
            generation: primary.generation,
            taken_at,
            bytes: report.bytes,
            digest: report.sha256.clone(),
            location: report.path.clone(),
        });
        let mut gateway = gateway.clone();
        gateway.last_snapshot = Some(id.clone());
        tx.put(gateway);
    });
    if let Err(error) = write.await {
        tracing::error!(instance = %primary.id, %error, "a snapshot could not be written down");
        return false;
    }
    report.changed
}

async fn ask(
    all: &Reconcilers,
    primary: &Instance,
    node: &NodeId,
    key: &str,
    order: SnapshotCreate,
) -> Option<SnapshotReport> {
    let hands = all.engine.hands();
    let mut meta = CommandMeta::new(key, hands.limits.long_command);
    meta.generation = primary.generation.0;
    match hands.hub.command(node, order, meta).await.map(|reply| reply.body) {
        Ok(Some(reply::Body::Snapshot(report))) => return Some(report),
        Ok(_) => tracing::error!(instance = %primary.id, "its node answered something else than a snapshot"),
        Err(error) => tracing::warn!(instance = %primary.id, %error, "no snapshot"),
    }
    None
}

/// Forgets and removes all but the newest snapshots of these accounts.
async fn prune(all: &Reconcilers, accounts: &BTreeSet<AccountId>) {
    if accounts.is_empty() {
        return;
    }
    let hands = all.engine.hands();
    let old = hands.store.read(|fleet| superseded(fleet, accounts));
    for snapshot in old {
        let folder = hands.paths.snapshots.join(snapshot.account.as_str()).join(snapshot.id.as_str());
        // Where the copies lie on another machine there is nothing to remove here.
        if folder.exists()
            && let Err(error) = tokio::fs::remove_dir_all(&folder).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(snapshot = %snapshot.id, %error, "an old snapshot could not be removed");
            continue;
        }
        let write = hands.store.update(|_, tx| {
            tx.delete(Key::Snapshot(snapshot.id.clone()));
        });
        if let Err(error) = write.await {
            tracing::error!(snapshot = %snapshot.id, %error, "an old snapshot could not be forgotten");
        }
    }
}

fn superseded(fleet: &Fleet, accounts: &BTreeSet<AccountId>) -> Vec<Snapshot> {
    let mut kept: BTreeMap<&AccountId, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in fleet.snapshots.values().filter(|snapshot| accounts.contains(&snapshot.account)) {
        kept.entry(&snapshot.account).or_default().push(snapshot);
    }
    let mut old = Vec::new();
    for (account, mut all) in kept {
        all.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.taken_at));
        let newest = fleet.gateways.get(account).and_then(|gateway| gateway.last_snapshot.as_ref());
        old.extend(all.into_iter().skip(KEPT).filter(|snapshot| Some(&snapshot.id) != newest).cloned());
    }
    old
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
            && (current.state != from || is_held(&gf_operations::held(fleet), current))
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
