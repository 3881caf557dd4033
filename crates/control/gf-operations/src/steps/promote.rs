//! Swaps the roles of a pair. The old primary is fenced by now and waits to be replaced.

use super::context::{StepContext, StepError};
use gf_model::{
    AccountId, InstanceId,
    gateway::Failover,
    instance::Role,
    operation::{Step, StepState},
    verb::Verb,
};
use serde_json::{Value, json};

pub(super) async fn act(
    context: &StepContext<'_>,
    account: &AccountId,
    id: &InstanceId,
) -> Result<Value, StepError> {
    let now = context.now();
    let began = context.lane_started_at.unwrap_or(context.started_at);
    let took_ms = now.duration_since(began).as_millis().max(0) as u64;
    let reason = match &context.operation.verb {
        Verb::Failover { reason, .. } => reason.clone(),
        _ => "ordered".to_owned(),
    };
    let rpo_seconds = rpo(context, account);
    context
        .write(|fleet, changes| {
            let (Some(gateway), Some(promoted)) = (fleet.gateways.get(account), fleet.instances.get(id))
            else {
                return;
            };
            if gateway.primary.as_ref() == Some(id) {
                return;
            }
            let (mut gateway, mut promoted) = (gateway.clone(), promoted.clone());
            let old = gateway.primary.replace(id.clone());
            gateway.standby = old.clone();
            promoted.role = Role::Primary;
            // What the old one held under is nothing to the new one.
            gateway.lease = gateway.lease.next(None);
            if let Some(old) = old {
                gateway.last_failover = Some(Failover {
                    at: now,
                    from: old.clone(),
                    to: id.clone(),
                    generation: gateway.generation,
                    reason: reason.clone(),
                    took_ms,
                    rpo_seconds,
                });
                if let Some(demoted) = fleet.instances.get(&old) {
                    let mut demoted = demoted.clone();
                    demoted.role = Role::Standby;
                    changes.push(demoted.into());
                }
            }
            changes.push(promoted.into());
            changes.push(gateway.into());
        })
        .await?;
    Ok(json!({ "primary": id, "tookMs": took_ms, "rpoSeconds": rpo_seconds }))
}

/// The age of the memory that this lane's `LoadMemory` step found.
fn rpo(context: &StepContext<'_>, account: &AccountId) -> Option<u64> {
    context.hands.store.read(|fleet| {
        fleet
            .lanes_of(&context.operation.id)
            .filter(|record| record.lane.target == account.as_str())
            .flat_map(|record| &record.lane.steps)
            .find(|step| step.state == StepState::Done && matches!(step.step, Step::LoadMemory { .. }))
            .and_then(|step| step.output["rpoSeconds"].as_u64())
    })
}
