//! Steps that only write: what an account has now, what COMPANION must hear, which pool a provider is in.

use super::context::{StepContext, StepError};
use gf_model::{
    AccountId, NoticeId, RevisionId,
    gateway::Desired,
    notice::{NOT_CONFIGURED, Notice, Recipient, Severity},
    provider::{Pool, ProviderId},
    revision::Revision,
};
use serde_json::{Value, json};

pub(super) async fn archived(context: &StepContext<'_>, account: &AccountId) -> Result<Value, StepError> {
    desire(context, account, Desired::Archived).await
}

pub(super) async fn served(context: &StepContext<'_>, account: &AccountId) -> Result<Value, StepError> {
    desire(context, account, Desired::Pair).await
}

/// A gateway that was never served, or whose archive waits to be restored again, is not asked to be a pair.
pub(super) async fn not_served(context: &StepContext<'_>, account: &AccountId) -> Result<(), StepError> {
    desire(context, account, Desired::Archived).await.map(drop)
}

async fn desire(
    context: &StepContext<'_>,
    account: &AccountId,
    desired: Desired,
) -> Result<Value, StepError> {
    context
        .write(|fleet, changes| {
            if let Some(gateway) = fleet.gateways.get(account) {
                let mut gateway = gateway.clone();
                gateway.desired = desired;
                if desired == Desired::Archived {
                    gateway.endpoint = None;
                }
                changes.push(gateway.into());
            }
        })
        .await?;
    Ok(json!({ "desired": desired }))
}

/// Puts the webhook into the outbox; from there it is delivered until COMPANION took it.
pub(super) async fn tell_companion(
    context: &StepContext<'_>,
    account: &AccountId,
    event: &str,
) -> Result<Value, StepError> {
    let key = format!("{}{account}:{event}", Notice::webhook_key(&context.operation.id));
    let waits_for = (!context.hands.companion_listens).then(|| NOT_CONFIGURED.to_owned());
    let now = context.now();
    let bits = context.hands.entropy.next_u64();
    context
        .write(|fleet, changes| {
            if fleet.notices.values().any(|notice| notice.key == key) {
                return;
            }
            let gateway = fleet.gateways.get(account);
            let body = json!({
                "account": account,
                "operation": context.operation.id,
                "tier": gateway.map(|gateway| gateway.tier),
                "endpoint": gateway.and_then(|gateway| gateway.endpoint.clone()),
                "generation": gateway.map(|gateway| gateway.generation),
                "at": now,
            });
            let notice = Notice {
                id: NoticeId::from_bits(bits, 8),
                key: key.clone(),
                recipient: Recipient::Companion { event: event.to_owned(), body },
                severity: Severity::Info,
                text: format!("{event} for {account}"),
                look_at: None,
                created_at: now,
                delivered_at: None,
                attempts: 0,
                last_error: waits_for.clone(),
            };
            changes.push(notice.into());
        })
        .await?;
    Ok(json!({ "event": event, "waitsFor": waits_for }))
}

pub(super) async fn provider_pool(
    context: &StepContext<'_>,
    provider: &ProviderId,
    pool: Pool,
    revision: RevisionId,
) -> Result<Value, StepError> {
    if context.hands.store.read(|fleet| !fleet.providers.contains_key(provider)) {
        return Err(StepError::Failed(format!("there is no provider {provider}")));
    }
    let now = context.now();
    context
        .write(|fleet, changes| {
            if let Some(record) = fleet.providers.get(provider) {
                let mut record = record.clone();
                record.pool = pool;
                changes.push(record.into());
            }
            if !fleet.revisions.contains_key(&revision) {
                let record = Revision {
                    id: revision,
                    description: format!("{provider} moved to the {pool:?} pool").to_lowercase(),
                    patch: Value::Null,
                    digest: String::new(),
                    created_at: now,
                    created_by: context.operation.principal.clone(),
                };
                changes.push(record.into());
            }
        })
        .await?;
    Ok(json!({ "before": context.output["before"], "after": pool, "revision": revision }))
}

pub(super) async fn provider_pool_back(
    context: &StepContext<'_>,
    provider: &ProviderId,
) -> Result<(), StepError> {
    let Ok(before) = serde_json::from_value::<Pool>(context.output["before"].clone()) else { return Ok(()) };
    context
        .write(|fleet, changes| {
            if let Some(record) = fleet.providers.get(provider) {
                let mut record = record.clone();
                record.pool = before;
                changes.push(record.into());
            }
        })
        .await
}
