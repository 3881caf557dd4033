//! Takes the right to act from an instance: first in the books, then for certain in the world.

use super::context::{StepContext, StepError, enter};
use gf_model::{
    AccountId, InstanceId,
    gateway::Generation,
    instance::{Instance, InstanceState},
};
use gf_node_proto::InstanceStop;
use serde_json::{Value, json};

/// Writes the next generation. From here on every command under the old one is refused by its node.
pub(super) async fn raise_generation(
    context: &StepContext<'_>,
    account: &AccountId,
    expected: Generation,
) -> Result<Value, StepError> {
    let write = context.hands.store.transact(|fleet, tx| {
        let gateway = fleet
            .gateways
            .get(account)
            .ok_or_else(|| StepError::Failed(format!("there is no gateway of {account}")))?;
        if gateway.generation == expected {
            let mut gateway = gateway.clone();
            gateway.generation = expected.next();
            tx.put(gateway);
        } else if gateway.generation != expected.next() {
            // Somebody else moved the pair on since this was planned.
            return Err(StepError::Failed(format!("{account} is at {} by now", gateway.generation)));
        }
        Ok(expected.next())
    });
    Ok(json!({ "generation": write.await? }))
}

/// Returns only when it is certain that the instance can neither receive nor send.
pub(super) async fn fence(context: &StepContext<'_>, id: &InstanceId) -> Result<Value, StepError> {
    let instance = context.instance(id)?;
    if matches!(instance.state, InstanceState::Stopped | InstanceState::Deleted) && !instance.channels_on {
        return Ok(json!({ "how": "it was stopped already" }));
    }
    let how = stop_for_certain(context, &instance).await?;
    let now = context.now();
    context
        .change(id, |instance| {
            enter(instance, InstanceState::Stopped, now);
            instance.channels_on = false;
        })
        .await?;
    Ok(json!({ "how": how }))
}

/// The node's word first; where it gives none, the provider's power switch.
async fn stop_for_certain(context: &StepContext<'_>, instance: &Instance) -> Result<&'static str, StepError> {
    let stop = InstanceStop { instance_id: instance.id.to_string(), drain: false };
    let by_node = context.command_now(instance, "stop", stop, context.hands.limits.command).await;
    let Err(no_word) = by_node else { return Ok("its node confirmed that it is stopped") };
    tracing::warn!(instance = %instance.id, error = %no_word, "no word from its node; switching it off");
    let driver = context.driver(&instance.provider)?;
    driver.power_off(&instance.provider, &instance.id).await.map_err(|error| {
        StepError::transient(format!(
            "{} could not be confirmed stopped, so nothing may take its place: its node: {no_word}; \
             its provider: {error}",
            instance.id
        ))
    })?;
    Ok("its provider confirmed that it is switched off")
}
