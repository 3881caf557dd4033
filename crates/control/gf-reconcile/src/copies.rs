//! Copies the memory of primaries that are due, and keeps the newest few copies of each account.
//!
//! Only one copy at a time runs on a machine: it costs more than it is worth in haste. Machines do not wait for each other.

use crate::Reconcilers;
use gf_model::{
    AccountId, NodeId, SnapshotId, Timestamp,
    fleet::{Fleet, Key},
    instance::Instance,
    snapshot::Snapshot,
};
use gf_node_hub::CommandMeta;
use gf_node_proto::{SnapshotCreate, SnapshotReport, reply};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

/// Machines that copy at the same time.
const ABREAST: usize = 64;

/// Snapshots of an account that are kept.
const KEPT: usize = 3;

/// One machine after the other, some side by side; each copies its primaries one by one.
pub(crate) async fn copy_all(all: &Reconcilers, due: Vec<Instance>) {
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
        if all.engine.hands().store.read(|fleet| fleet.frozen().is_some()) {
            break;
        }
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
