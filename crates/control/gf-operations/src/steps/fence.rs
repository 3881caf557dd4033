//! Takes the right to act from an instance: first in the books, then for certain in the world.

use super::context::{StepContext, StepError, enter};
use gf_model::{
    AccountId, InstanceId,
    gateway::Generation,
    instance::{Instance, InstanceState},
    lease,
};
use gf_node_proto::{InstanceStop, WitnessRaise, WitnessRaised, reply};
use gf_policy::leases;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// What is written down of a fence that was nobody's word but the end of a lease.
pub const FENCED_BY_LEASE: &str = "its lease is over, and its witness renews it no more";
/// How often it is looked, while a lease is waited for, whether its holder is back.
const LOOK_EVERY: Duration = Duration::from_secs(2);

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

/// The node's word first; where it gives none, the provider's power switch; where that is out of reach too, the end of
/// the lease that the instance holds.
async fn stop_for_certain(context: &StepContext<'_>, instance: &Instance) -> Result<&'static str, StepError> {
    let stop = InstanceStop { instance_id: instance.id.to_string(), drain: false };
    let by_node = context.command_now(instance, "stop", stop, context.hands.limits.command).await;
    let Err(no_word) = by_node else { return Ok("its node confirmed that it is stopped") };
    tracing::warn!(instance = %instance.id, error = %no_word, "no word from its node; switching it off");
    let driver = context.driver(&instance.provider)?;
    let Err(no_switch) = driver.power_off(&instance.provider, &instance.id).await else {
        return Ok("its provider confirmed that it is switched off");
    };
    outlast(context, instance).await.map_err(|why| {
        StepError::transient(format!(
            "{} could not be confirmed stopped, so nothing may take its place: its node: {no_word}; \
             its provider: {no_switch}; its lease: {why}",
            instance.id
        ))
    })?;
    Ok(FENCED_BY_LEASE)
}

/// Waits until the lease of the old primary is over for certain: the witness refuses it first, then the time passes that
/// it can last at most since anybody renewed it.
async fn outlast(context: &StepContext<'_>, old: &Instance) -> Result<(), String> {
    let known_to_lapse = || {
        context.hands.store.read(|fleet| {
            let now = fleet.instances.get(&old.id).unwrap_or(old);
            leases::lapses(fleet, now).cloned().map_err(|why| why.to_string())
        })
    };
    let Some(node) = &old.node else { return Err("its node is not known".to_owned()) };
    let witness = known_to_lapse()?;
    let generation = context.hands.store.read(|fleet| fleet.gateways.get(&old.account).map(|g| g.generation));
    let raise =
        WitnessRaise { instance_id: witness.id.to_string(), generation: generation.unwrap_or_default().0 };
    let raised = context.command_now(&witness, "witness", raise, context.hands.limits.command).await;
    let Some(reply::Body::Raised(WitnessRaised { idle_ms })) = raised.map_err(|why| why.to_string())?.body
    else {
        return Err("its witness answered something else".to_owned());
    };
    let (asked, idle) = (Instant::now(), Duration::from_millis(idle_ms));
    loop {
        if context.hands.hub.is_connected(node) {
            return Err("its node is back and can be asked".to_owned());
        }
        known_to_lapse()?;
        let ago = context.hands.hub.lease_idle(node).min(idle + asked.elapsed());
        match lease::over_in(ago) {
            Duration::ZERO => return Ok(()),
            left => tokio::time::sleep(left.min(LOOK_EVERY)).await,
        }
    }
}
