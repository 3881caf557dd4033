//! Gives a standby the newest memory of its account before it answers anybody.

use super::{
    context::{StepContext, StepError},
    instance::{announce, came_back, not_back},
};
use gf_model::{AccountId, InstanceId, instance::InstanceState, snapshot::Snapshot};
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
    let age_of = |snapshot: &Snapshot| context.started_at.duration_since(snapshot.taken_at).as_secs().max(0);
    let Some(snapshot) = newest else {
        // What it holds is all there is; without that, how much is lost is unknown.
        let held = known.as_ref().map(|held| &held.id);
        return Ok(json!({ "snapshot": held, "rpoSeconds": known.as_ref().map(age_of), "loaded": false }));
    };
    let age = age_of(&snapshot);
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
