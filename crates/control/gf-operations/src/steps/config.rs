//! Writes a revision's owned keys into one instance and reads them back; or puts back what it had before.

use super::context::{StepContext, StepError};
use gf_model::{
    InstanceId, RevisionId,
    fleet::{Change, Fleet},
    gateway::TakenRevision,
    instance::{Instance, Role},
    patch,
    revision::Revision,
};
use gf_node_proto::{ConfigPush, ConfigRollback, Reply, Sensitive, reply};
use serde_json::{Value, json};

/// How far back a rollback can reach; nodes keep as many.
const WAYS_BACK: usize = 16;

pub(super) async fn apply(
    context: &StepContext<'_>,
    id: &InstanceId,
    revision: RevisionId,
) -> Result<Value, StepError> {
    let instance = context.living(id)?;
    let revision = context
        .hands
        .store
        .read(|fleet| fleet.revisions.get(&revision).cloned())
        .ok_or_else(|| StepError::Failed(format!("there is no revision {revision}")))?;
    let stood = context.hands.store.read(|fleet| stood_on(fleet, &instance, revision.id));
    let order = ConfigPush {
        instance_id: id.to_string(),
        revision: revision.id.to_string(),
        patch: Some(Sensitive { value: delta(stood.as_ref(), &revision.patch).to_string() }),
        ..ConfigPush::default()
    };
    let pushed = context.command(&instance, "push", order, context.hands.limits.long_command).await;
    if let Err(StepError::Flagged(why)) = &pushed {
        context.change(id, |instance| instance.flagged = Some(why.clone())).await?;
    }
    let pushed = pushed?;
    let changed = changes_of(&pushed)?;
    if let Some(mut owned) = stood {
        patch::merge(&mut owned, &revision.patch);
        compare(context, &instance, revision.id, &owned, &pushed).await?;
    }
    context.write_at_end(move |fleet, changes| took(fleet, &instance, &revision, changes));
    Ok(json!({ "changes": changed, "scoreBefore": context.output["scoreBefore"] }))
}

/// What its gateway owned before the revision, where the instance stood there too. One that did not gets the whole
/// patch and is aligned afterwards.
fn stood_on(fleet: &Fleet, instance: &Instance, revision: RevisionId) -> Option<Value> {
    let gateway = fleet.gateways.get(&instance.account)?;
    let taken = gateway.taken.iter().rfind(|taken| taken.revision == revision);
    let (before, owned) = match taken {
        Some(taken) => (taken.revision_before, &taken.owned_before),
        None => (gateway.revision, &gateway.owned),
    };
    (instance.revision == before).then(|| owned.clone())
}

/// The keys that are to change. Where none is, the patch itself says that the revision was taken.
fn delta(stood: Option<&Value>, patch: &Value) -> Value {
    let delta = stood.map(|owned| patch::delta(owned, patch));
    delta.filter(|delta| !patch::owned_paths(delta).is_empty()).unwrap_or_else(|| patch.clone())
}

/// What was read back after the write against what it should hold at its owned paths now. What somebody changed by hand
/// before is put right with the same step; what does not hold what was written then has failed.
async fn compare(
    context: &StepContext<'_>,
    instance: &Instance,
    revision: RevisionId,
    owned: &Value,
    pushed: &Reply,
) -> Result<(), StepError> {
    let wanted = patch::fingerprint_of(owned);
    if holds(pushed, &wanted) {
        return Ok(());
    }
    let order = whole(&instance.id, Some(revision), owned);
    let aligned = context.command(instance, "align", order, context.hands.limits.long_command).await?;
    match holds(&aligned, &wanted) {
        true => Ok(()),
        false => Err(StepError::Failed(format!(
            "{} does not hold what was written: its owned keys read back differently",
            instance.id
        ))),
    }
}

fn holds(reply: &Reply, wanted: &str) -> bool {
    let Some(reply::Body::Applied(applied)) = &reply.body else { return false };
    // A node of an older version reads back by itself and does not say what it read.
    applied.owned_hash.is_empty() || applied.owned_hash == wanted
}

/// The instance runs the revision; with the primary the whole gateway does.
fn took(fleet: &Fleet, instance: &Instance, revision: &Revision, changes: &mut Vec<Change>) {
    let Some(current) = fleet.instances.get(&instance.id) else { return };
    let mut current = current.clone();
    current.revision = Some(revision.id);
    current.flagged = None;
    if let Some(gateway) = fleet.gateways.get(&current.account)
        && current.role == Role::Primary
        && gateway.taken.last().map(|taken| taken.revision) != Some(revision.id)
    {
        let mut gateway = gateway.clone();
        gateway.taken.push(TakenRevision {
            revision: revision.id,
            owned_before: gateway.owned.clone(),
            revision_before: gateway.revision,
        });
        let forgotten = gateway.taken.len().saturating_sub(WAYS_BACK);
        gateway.taken.drain(..forgotten);
        patch::merge(&mut gateway.owned, &revision.patch);
        gateway.revision = Some(revision.id);
        changes.push(gateway.into());
    }
    changes.push(current.into());
}

pub(super) async fn revert(
    context: &StepContext<'_>,
    id: &InstanceId,
    revision: RevisionId,
) -> Result<Value, StepError> {
    let instance = context.instance(id)?;
    if !instance.state.exists() {
        // Nothing is left that could hold it.
        return Ok(json!({ "changes": [] }));
    }
    let order = ConfigRollback { instance_id: id.to_string(), revision: revision.to_string() };
    if let Some(later) = context.hands.store.read(|fleet| stands_on(fleet, &instance, revision)) {
        return Err(StepError::Failed(format!("{id} went on to {later}; take that back before {revision}")));
    }
    let report = context.command(&instance, "rollback", order, context.hands.limits.long_command).await?;
    let changed = match changes_of(&report) {
        Ok(changed) => changed,
        // Its node never took it. Where the instance was made with it, the keys are still there.
        Err(_) => take_out(context, &instance, revision).await?,
    };
    context.write(|fleet, changes| gave_back(fleet, id, revision, changes)).await?;
    Ok(json!({ "changes": changed }))
}

/// A revision that was taken after this one and stands on it.
fn stands_on(fleet: &Fleet, instance: &Instance, revision: RevisionId) -> Option<RevisionId> {
    let taken = &fleet.gateways.get(&instance.account)?.taken;
    let place = taken.iter().rposition(|taken| taken.revision == revision)?;
    taken.get(place + 1).map(|later| later.revision)
}

/// Puts the keys of a revision back in an instance that started with them and so has no way back of its own.
async fn take_out(
    context: &StepContext<'_>,
    instance: &Instance,
    revision: RevisionId,
) -> Result<Value, StepError> {
    let before = context.hands.store.read(|fleet| {
        let gateway = fleet.gateways.get(&instance.account)?;
        let taken = gateway.taken.iter().rfind(|taken| taken.revision == revision)?;
        (instance.revision == Some(revision)).then(|| (taken.revision_before, taken.owned_before.clone()))
    });
    let Some((before, owned)) = before else { return Ok(json!([])) };
    let order = whole(&instance.id, before, &owned);
    changes_of(&context.command(instance, "take-out", order, context.hands.limits.long_command).await?)
}

/// The order to own exactly these keys.
pub fn whole(instance: &InstanceId, revision: Option<RevisionId>, owned: &Value) -> ConfigPush {
    ConfigPush {
        instance_id: instance.to_string(),
        revision: revision_name(revision),
        patch: Some(Sensitive { value: owned.to_string() }),
        expected_hash: String::new(),
        whole: true,
    }
}

/// As nodes are told it.
pub fn revision_name(revision: Option<RevisionId>) -> String {
    revision.map(|revision| revision.to_string()).unwrap_or_default()
}

/// The instance is on what it had before the revision; with the primary the whole gateway is.
fn gave_back(fleet: &Fleet, id: &InstanceId, revision: RevisionId, changes: &mut Vec<Change>) {
    let Some(current) = fleet.instances.get(id) else { return };
    let mut current = current.clone();
    let gateway = fleet.gateways.get(&current.account);
    let taken =
        gateway.and_then(|gateway| gateway.taken.iter().rfind(|taken| taken.revision == revision)).cloned();
    if current.revision == Some(revision) {
        current.revision = match &taken {
            Some(taken) => taken.revision_before,
            // The primary never took it, so the gateway's revision is still the one from before.
            None => gateway.and_then(|gateway| gateway.revision),
        };
    }
    if let (Role::Primary, Some(taken), Some(gateway)) = (current.role, taken, gateway) {
        let mut gateway = gateway.clone();
        gateway.taken.retain(|other| other.revision != revision);
        if gateway.revision == Some(revision) {
            gateway.owned = taken.owned_before;
            gateway.revision = taken.revision_before;
        }
        changes.push(gateway.into());
    }
    changes.push(current.into());
}

/// What the node read back after writing.
fn changes_of(reply: &Reply) -> Result<Value, StepError> {
    let Some(reply::Body::Applied(applied)) = &reply.body else {
        return Err(StepError::Failed("the node answered something else than what it applied".into()));
    };
    if !applied.applied {
        return Err(StepError::transient("the configuration was written but not taken up yet"));
    }
    let changes: Vec<_> = applied
        .changes
        .iter()
        .map(|change| json!({ "path": change.path, "before": change.before, "after": change.after }))
        .collect();
    Ok(json!(changes))
}
