//! Waiting for an instance to answer, restarting it, changing its size.

use super::context::{StepContext, StepError, enter};
use gf_model::{
    InstanceId, Tier, Timestamp,
    fleet::Fleet,
    instance::{Instance, InstanceState, Role},
    operation::OperationState,
    person::Principal,
};
use gf_node_proto::{InstanceRestart, OpenclawHealth, reply};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long a report is waited for before the instance is asked without one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Waits until the instance is ACTIVE and answers a real HTTP request.
pub(super) async fn await_active(context: &StepContext<'_>, id: &InstanceId) -> Result<Value, StepError> {
    let instance = answers(context, id).await?;
    let took = instance.active_at.map(|at| at.duration_since(instance.created_at).as_millis() as i64);
    Ok(json!({ "bootMs": instance.last_boot_ms, "sinceOrderMs": took }))
}

async fn answers(context: &StepContext<'_>, id: &InstanceId) -> Result<Instance, StepError> {
    let mut changed = context.hands.store.changed();
    let limits = &context.hands.limits;
    let (mut asked, mut is_mute) = (0, false);
    let (began, mut here_since) = (Instant::now(), None);
    loop {
        changed.borrow_and_update();
        let instance = awaited(context, id)?;
        if instance.node.as_ref().is_some_and(|node| context.hands.hub.is_connected(node)) {
            here_since.get_or_insert_with(Instant::now);
        }
        let (since, limit, what) = match here_since {
            Some(since) => (since, limits.boot, "did not answer"),
            None => (began, limits.delivery, "has no node that connected"),
        };
        if since.elapsed() >= limit {
            if is_mute {
                not_answering(context, id).await?;
            }
            return Err(StepError::Failed(format!("{id} {what} within {} s", limit.as_secs())));
        }
        if instance.state == InstanceState::Active || asked > 0 {
            // Each time it is asked is an order of its own, or its node would repeat its first answer.
            match probe(context, &instance, asked).await {
                Ok(200) if instance.state == InstanceState::Active => return Ok(instance),
                Ok(200) => {
                    became_active(context, id).await?;
                    continue;
                }
                Ok(status) => {
                    is_mute = true;
                    tracing::debug!(instance = %id, status, "it does not answer yet");
                }
                Err(error) => {
                    is_mute = false;
                    tracing::debug!(instance = %id, %error, "its node says nothing of it yet");
                }
            }
        }
        asked += 1;
        if let Ok(Err(_)) = tokio::time::timeout(LOOK_EVERY, changed.changed()).await {
            return Err(StepError::transient("the control plane is ending"));
        }
    }
}

/// The instance, as long as there is any use in waiting for it.
fn awaited(context: &StepContext<'_>, id: &InstanceId) -> Result<Instance, StepError> {
    let state =
        context.hands.store.read(|fleet| fleet.operations.get(&context.operation.id).map(|it| it.state));
    if matches!(state, Some(OperationState::Cancelling | OperationState::Undoing)) {
        return Err(StepError::Failed("it was cancelled while it waited".into()));
    }
    let instance = context.instance(id)?;
    match instance.state {
        InstanceState::Failed => {
            let why = instance.flagged.as_deref().unwrap_or("its node gave up on it");
            Err(StepError::Failed(format!("{id} failed: {why}")))
        }
        InstanceState::TearingDown | InstanceState::Deleted => {
            Err(StepError::Failed(format!("{id} was torn down while it was waited for")))
        }
        _ => Ok(instance),
    }
}

async fn became_active(context: &StepContext<'_>, id: &InstanceId) -> Result<(), StepError> {
    let now = context.now();
    context
        .change(id, |instance| {
            if !matches!(
                instance.state,
                InstanceState::Failed | InstanceState::TearingDown | InstanceState::Deleted
            ) {
                enter(instance, InstanceState::Active, now);
                instance.active_at = Some(now);
            }
        })
        .await
}

/// Its own node says that it does not answer, and it was waited for long enough: it is not ACTIVE, whatever was
/// heard last. The heal tree takes it from here.
async fn not_answering(context: &StepContext<'_>, id: &InstanceId) -> Result<(), StepError> {
    let now = context.now();
    context
        .change(id, |instance| {
            if instance.state == InstanceState::Active {
                enter(instance, InstanceState::Degraded, now);
            }
        })
        .await
}

/// Asks the instance itself, which answers with an HTTP status; `nth` tells this question from earlier ones.
async fn probe(context: &StepContext<'_>, instance: &Instance, nth: u32) -> Result<u32, StepError> {
    let ask = OpenclawHealth { instance_id: instance.id.to_string() };
    let reply =
        context.command_now(instance, &format!("probe{nth}"), ask, context.hands.limits.command).await?;
    match reply.body {
        Some(reply::Body::Health(report)) => Ok(report.http_status),
        _ => Err(StepError::Failed(format!(
            "the node of {} answered a probe with something else",
            instance.id
        ))),
    }
}

pub(super) async fn restart(context: &StepContext<'_>, id: &InstanceId) -> Result<Value, StepError> {
    let instance = context.living(id)?;
    if context.hands.store.read(|fleet| waits_to_be_replaced(fleet, &instance)) {
        let account = &instance.account;
        return Err(StepError::Failed(format!(
            "{id} was fenced: {account} has moved on, and builds another standby"
        )));
    }
    let now = context.now();
    // What the control plane does by itself counts as an automatic restart, or a sick one would be restarted for ever.
    let by_itself = matches!(context.operation.principal, Principal::Service(_));
    let began = context.started_at;
    let asked_before = context.asked_before;
    context
        .change(id, |instance| {
            announce(instance, InstanceState::Bootstrapping, asked_before, now);
            if by_itself && !instance.restarts.contains(&began) {
                instance.restarts.push(began);
            }
        })
        .await?;
    // One that answers is drained, so that no turn is lost; one that does not has nothing to drain.
    let drain = instance.state == InstanceState::Active;
    let order = InstanceRestart { instance_id: id.to_string(), drain, wait_ready: true };
    if let Err(error) = context.command(&instance, "restart", order, context.hands.limits.long_command).await
    {
        not_back(context, id).await?;
        return Err(error);
    }
    let now = context.now();
    context.change(id, |instance| came_back(instance, now)).await?;
    Ok(json!({ "drained": drain }))
}

/// A fenced instance was stopped and nothing else: started again it would still have its channels, beside whoever took
/// its place.
fn waits_to_be_replaced(fleet: &Fleet, instance: &Instance) -> bool {
    let newest = fleet.gateways.get(&instance.account).map(|gateway| gateway.generation);
    instance.role == Role::Standby
        && instance.state == InstanceState::Stopped
        && newest.is_some_and(|newest| instance.generation < newest)
}

/// An order that starts it anew is about to go out: said beforehand, or its stop would look like its end. Where the
/// same order may have gone out before, its node may have told since what came of it, and that stays.
pub(super) fn announce(instance: &mut Instance, state: InstanceState, asked_before: bool, now: Timestamp) {
    if !asked_before || instance.state == InstanceState::Active {
        enter(instance, state, now);
    }
}

/// The order was answered: it came back. An answer may be as old as its order, so whatever was reported since stays.
pub(super) fn came_back(instance: &mut Instance, now: Timestamp) {
    if matches!(instance.state, InstanceState::Bootstrapping | InstanceState::StandbyPromoting) {
        enter(instance, InstanceState::Active, now);
        instance.active_at = Some(now);
    }
}

/// It was to start anew and is not known to have done so: the heal tree takes it from here.
pub(super) async fn not_back(context: &StepContext<'_>, id: &InstanceId) -> Result<(), StepError> {
    let now = context.now();
    context
        .change(id, |instance| {
            if matches!(instance.state, InstanceState::Bootstrapping | InstanceState::StandbyPromoting) {
                enter(instance, InstanceState::Degraded, now);
            }
        })
        .await
}

pub(super) async fn resize(
    context: &StepContext<'_>,
    id: &InstanceId,
    tier: Tier,
) -> Result<Value, StepError> {
    let instance = context.living(id)?;
    set_tier(context, &instance, tier).await?;
    Ok(json!({ "tierBefore": context.output["tierBefore"] }))
}

pub(super) async fn resize_back(context: &StepContext<'_>, id: &InstanceId) -> Result<(), StepError> {
    let Ok(tier) = serde_json::from_value::<Tier>(context.output["tierBefore"].clone()) else {
        return Ok(());
    };
    let instance = context.instance(id)?;
    if !instance.state.exists() {
        return Ok(());
    }
    set_tier(context, &instance, tier).await
}

async fn set_tier(context: &StepContext<'_>, instance: &Instance, tier: Tier) -> Result<(), StepError> {
    context.driver(&instance.provider)?.resize(&instance.provider, &instance.id, tier).await?;
    context
        .write(|fleet, changes| {
            let Some(current) = fleet.instances.get(&instance.id) else { return };
            let mut current = current.clone();
            current.tier = tier;
            let prices = fleet.providers.get(&current.provider).map(|provider| &provider.prices);
            if let Some(price) = prices.and_then(|prices| prices.get(&tier)) {
                current.monthly_cost = *price;
            }
            if let Some(gateway) = fleet.gateways.get(&current.account) {
                let mut gateway = gateway.clone();
                gateway.tier = tier;
                changes.push(gateway.into());
            }
            changes.push(current.into());
        })
        .await
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
