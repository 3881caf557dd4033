//! What each step does, and how it is taken back. Each looks before it acts: it may have been done already.

mod archive;
mod channels;
mod config;
mod context;
mod create;
mod delete;
mod fence;
mod instance;
mod marks;
mod memory;
mod nodes;
mod promote;
mod secret;

pub use config::{revision_name, whole};
pub use context::{AtEnd, StepContext, StepError};
pub use fence::FENCED_BY_LEASE;

use gf_model::{fleet::Fleet, operation::Step};
use serde_json::{Value, json};

/// The forbids, against the state as it is now.
pub(crate) fn forbidden(context: &StepContext<'_>) -> Option<String> {
    // The audit row of this step was committed just before, in the same write as its record.
    let audit_durable = true;
    context.hands.store.read(|fleet| {
        gf_policy::forbids(fleet, &context.step, context.operation, audit_durable).map(|no| no.to_string())
    })
}

pub(crate) async fn act(context: &StepContext<'_>) -> Result<Value, StepError> {
    match &context.step {
        Step::CreateInstance { .. } => create::act(context).await,
        Step::AwaitActive { instance } => instance::await_active(context, instance).await,
        Step::ConnectChannels { account, instance } => channels::connect(context, account, instance).await,
        Step::RaiseGeneration { account, expected } => {
            fence::raise_generation(context, account, *expected).await
        }
        Step::Fence { instance } => fence::fence(context, instance).await,
        Step::LoadMemory { account, instance } => memory::load(context, account, instance).await,
        Step::Promote { account, instance } => promote::act(context, account, instance).await,
        Step::Restart { instance } => instance::restart(context, instance).await,
        Step::ApplyRevision { instance, revision } => config::apply(context, instance, *revision).await,
        Step::RevertRevision { instance, revision } => config::revert(context, instance, *revision).await,
        Step::Resize { instance, tier } => instance::resize(context, instance, *tier).await,
        Step::TakeArchive { account, archive } => archive::take(context, account, archive).await,
        Step::DeleteInstance { instance } => delete::act(context, instance).await,
        Step::MarkArchived { account } => marks::archived(context, account).await,
        Step::MarkServed { account } => marks::served(context, account).await,
        Step::TellCompanion { account, event } => marks::tell_companion(context, account, event).await,
        Step::SetProviderPool { provider, pool, revision } => {
            marks::provider_pool(context, provider, *pool, *revision).await
        }
        Step::UpdateNode { node, .. } => nodes::update(context, node).await,
    }
}

/// What stands now at the place that a step is about to change, where its undo must know that.
pub(crate) fn foresee(fleet: &Fleet, step: &Step) -> Value {
    match step {
        Step::Resize { instance, .. } => fleet
            .instances
            .get(instance)
            .map_or(Value::Null, |instance| json!({ "tierBefore": instance.tier })),
        Step::ApplyRevision { instance, .. } => {
            let health = fleet.instances.get(instance).and_then(|instance| instance.health.as_ref());
            health.map_or(Value::Null, |health| json!({ "scoreBefore": health.score }))
        }
        Step::SetProviderPool { provider, .. } => {
            fleet.providers.get(provider).map_or(Value::Null, |provider| json!({ "before": provider.pool }))
        }
        Step::UpdateNode { node, instances, .. } => nodes::foresee(fleet, node, instances),
        _ => Value::Null,
    }
}

pub(crate) const fn has_undo(step: &Step) -> bool {
    matches!(
        step,
        Step::CreateInstance { .. }
            | Step::ApplyRevision { .. }
            | Step::Resize { .. }
            | Step::SetProviderPool { .. }
            | Step::UpdateNode { .. }
            | Step::MarkServed { .. }
    )
}

pub(crate) async fn undo(context: &StepContext<'_>) -> Result<(), StepError> {
    match &context.step {
        Step::CreateInstance { instance, account, .. } => delete::unmake(context, instance, account).await,
        Step::ApplyRevision { instance, revision } => {
            config::revert(context, instance, *revision).await.map(drop)
        }
        Step::Resize { instance, .. } => instance::resize_back(context, instance).await,
        Step::SetProviderPool { provider, .. } => marks::provider_pool_back(context, provider).await,
        Step::MarkServed { account } => marks::not_served(context, account).await,
        Step::UpdateNode { node, .. } => nodes::back(context, node).await,
        Step::TakeArchive { account, .. } => archive::give_up(context, account).await,
        _ => Ok(()),
    }
}

/// Ids that a step is about, for its audit row.
pub(crate) fn targets(step: &Step) -> Vec<String> {
    match step {
        Step::CreateInstance { instance, account, .. }
        | Step::ConnectChannels { account, instance }
        | Step::LoadMemory { account, instance }
        | Step::Promote { account, instance } => vec![account.to_string(), instance.to_string()],
        Step::AwaitActive { instance }
        | Step::Fence { instance }
        | Step::Restart { instance }
        | Step::ApplyRevision { instance, .. }
        | Step::RevertRevision { instance, .. }
        | Step::Resize { instance, .. }
        | Step::DeleteInstance { instance } => vec![instance.to_string()],
        Step::RaiseGeneration { account, .. }
        | Step::TakeArchive { account, .. }
        | Step::MarkArchived { account }
        | Step::MarkServed { account }
        | Step::TellCompanion { account, .. } => vec![account.to_string()],
        Step::SetProviderPool { provider, .. } => vec![provider.to_string()],
        Step::UpdateNode { node, .. } => vec![node.to_string()],
    }
}
