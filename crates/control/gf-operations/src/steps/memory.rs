//! Gives a standby the newest memory of its account before it answers anybody.

use super::{
    context::{StepContext, StepError},
    instance::{announce, came_back, not_back},
};
use gf_model::{AccountId, InstanceId, Timestamp, instance::InstanceState, snapshot::Snapshot};
use gf_node_proto::SnapshotRestore;
use serde_json::{Value, json};

pub(super) async fn load(
    context: &StepContext<'_>,
    account: &AccountId,
    id: &InstanceId,
) -> Result<Value, StepError> {
    let instance = context.living(id)?;
    let (newest, known, generation) = context.hands.store.read(|fleet| {
        let known = instance.remembers.as_ref().and_then(|id| fleet.snapshots.get(id)).cloned();
        let generation = fleet.gateways.get(account).map(|gateway| gateway.generation);
        (fleet.newest_snapshot(account).cloned(), known, generation)
    });
    let age = rpo(newest.as_ref(), known.as_ref(), context.started_at);
    let Some(snapshot) = newest else {
        let held = known.as_ref().map(|held| &held.id);
        return Ok(json!({ "snapshot": held, "rpoSeconds": age, "loaded": false }));
    };
    // Equal digests hold equal memory, whichever snapshot it came from.
    if known.is_some_and(|known| known.digest == snapshot.digest) {
        return Ok(json!({ "snapshot": snapshot.id, "rpoSeconds": age, "loaded": false }));
    }
    let now = context.now();
    let asked_before = context.asked_before;
    context
        .change(id, |instance| announce(instance, InstanceState::StandbyPromoting, asked_before, now))
        .await?;
    let order = SnapshotRestore {
        instance_id: id.to_string(),
        source: snapshot.location.clone(),
        generation: generation.unwrap_or_default().0,
        wait_ready: true,
    };
    if let Err(error) = context.command(&instance, "memory", order, context.hands.limits.long_command).await {
        not_back(context, id).await?;
        return Err(error);
    }
    let now = context.now();
    context
        .change(id, |instance| {
            instance.remembers = Some(snapshot.id.clone());
            came_back(instance, now);
        })
        .await?;
    Ok(json!({ "snapshot": snapshot.id, "rpoSeconds": age, "loaded": true }))
}

/// How old the memory is that it will answer with. Where there is no snapshot, what it holds is all there is; without
/// that, how much is lost is unknown, which is never said as nothing.
fn rpo(newest: Option<&Snapshot>, held: Option<&Snapshot>, decided_at: Timestamp) -> Option<u64> {
    let age = decided_at.duration_since(newest.or(held)?.taken_at).as_secs();
    // Copied while this was being decided: nothing that was said before is lost.
    Some(u64::try_from(age).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::gateway::Generation;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn snapshot(taken_at: i64) -> Snapshot {
        Snapshot {
            id: "5a01".parse().unwrap(),
            account: "0001".parse().unwrap(),
            instance: "aa01".parse().unwrap(),
            generation: Generation(1),
            taken_at: at(taken_at),
            bytes: 1,
            digest: "d".into(),
            location: "x".into(),
        }
    }

    #[test]
    fn what_a_failover_loses_is_the_age_of_the_memory_it_wakes_with() {
        let (newest, held) = (snapshot(70), snapshot(10));
        assert_eq!(rpo(Some(&newest), Some(&held), at(100)), Some(30), "it takes in the newest");
        assert_eq!(rpo(Some(&newest), None, at(100)), Some(30));
        assert_eq!(rpo(None, Some(&held), at(100)), Some(90), "what it holds is all there is");
    }

    #[test]
    fn where_nothing_was_ever_copied_the_loss_is_unknown_and_not_nothing() {
        assert_eq!(rpo(None, None, at(100)), None);
    }

    #[test]
    fn a_copy_from_while_it_was_decided_loses_nothing() {
        assert_eq!(rpo(Some(&snapshot(101)), None, at(100)), Some(0));
    }
}
