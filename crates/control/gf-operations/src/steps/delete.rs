//! Deletes an instance and its place. Its audit row is durable by now: the step log wrote both in one commit.

use super::context::{StepContext, StepError, enter};
use gf_model::{
    AccountId, InstanceId, NodeId,
    fleet::{Change, Fleet, Key},
    instance::{Instance, InstanceState},
    verb::Verb,
};
use serde_json::{Value, json};

pub(super) async fn act(context: &StepContext<'_>, id: &InstanceId) -> Result<Value, StepError> {
    let Some(instance) = context.hands.store.read(|fleet| fleet.instances.get(id).cloned()) else {
        return Ok(json!({ "existed": false }));
    };
    if instance.state != InstanceState::Deleted {
        let now = context.now();
        context
            .change(id, |instance| {
                enter(instance, InstanceState::TearingDown, now);
                instance.uncertain = true;
            })
            .await?;
        context.driver(&instance.provider)?.delete(&instance.provider, id).await?;
    }
    context.write(|fleet, changes| gone(context, fleet, &instance, changes)).await?;
    if let Some(node) = &instance.node
        && !context.hands.store.read(|fleet| fleet.nodes.contains_key(node))
    {
        context.hands.hub.forget(node);
    }
    Ok(json!({ "existed": true, "role": instance.role, "place": instance.place }))
}

/// Takes a creation back. An account that was never served leaves nothing behind, so that it can be asked for again.
pub(super) async fn unmake(
    context: &StepContext<'_>,
    id: &InstanceId,
    account: &AccountId,
) -> Result<(), StepError> {
    act(context, id).await?;
    if !matches!(context.operation.verb, Verb::Provision { .. }) {
        return Ok(());
    }
    context
        .write(|fleet, changes| {
            let is_empty = fleet.gateways.get(account).is_some_and(|gateway| {
                gateway.primary.is_none() && gateway.standby.is_none() && gateway.archive.is_none()
            });
            if is_empty {
                changes.push(Change::Delete(Key::Gateway(account.clone())));
                if fleet.accounts.get(account).is_some_and(|account| account.channels.is_empty()) {
                    changes.push(Change::Delete(Key::Account(account.clone())));
                }
            }
        })
        .await
}

fn gone(context: &StepContext<'_>, fleet: &Fleet, instance: &Instance, changes: &mut Vec<Change>) {
    if let Some(current) = fleet.instances.get(&instance.id) {
        let mut current = current.clone();
        enter(&mut current, InstanceState::Deleted, context.now());
        current.uncertain = false;
        current.channels_on = false;
        current.endpoint = None;
        changes.push(current.into());
    }
    if let Some(node) = lost_node(context, fleet, instance) {
        changes.push(Change::Delete(Key::Node(node)));
    }
    if let Some(gateway) = fleet.gateways.get(&instance.account) {
        let mut gateway = gateway.clone();
        if gateway.primary.as_ref() == Some(&instance.id) {
            gateway.primary = None;
            gateway.endpoint = None;
        }
        if gateway.standby.as_ref() == Some(&instance.id) {
            gateway.standby = None;
        }
        changes.push(gateway.into());
    }
}

/// The node that went with the place, unless another instance is on it.
fn lost_node(context: &StepContext<'_>, fleet: &Fleet, instance: &Instance) -> Option<NodeId> {
    let node = instance.node.as_ref().filter(|node| fleet.nodes.contains_key(node))?;
    let driver = context.driver(&instance.provider).ok()?;
    let itself = fleet.instances.get(&instance.id);
    let itself = itself.is_some_and(|it| it.state.exists() && it.node.as_ref() == Some(node));
    let is_used = fleet.loads().on_node(node) > usize::from(itself);
    (driver.node_goes_with_place() && !is_used).then(|| node.clone())
}
