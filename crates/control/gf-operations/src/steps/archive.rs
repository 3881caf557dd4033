//! Takes what is kept of an account after its teardown. Nothing arrives any more once it is taken.

use super::{
    channels,
    context::{StepContext, StepError},
};
use gf_model::{AccountId, ArchiveId, snapshot::Archive};
use gf_node_proto::{ArchiveCreate, ChannelsSet, reply};
use jiff::SignedDuration;
use serde_json::{Value, json};

const KEPT_DAYS: i64 = 30;

pub(super) async fn take(
    context: &StepContext<'_>,
    account: &AccountId,
    archive: &ArchiveId,
) -> Result<Value, StepError> {
    if let Some(taken) = context.hands.store.read(|fleet| fleet.archives.get(archive).cloned()) {
        return Ok(json!({ "archive": taken.id, "bytes": taken.bytes, "sha256": taken.sha256 }));
    }
    let (primary, generation) = context.hands.store.read(|fleet| {
        let generation = fleet.gateways.get(account).map(|gateway| gateway.generation);
        (fleet.primary_of(account).cloned(), generation.unwrap_or_default())
    });
    let primary = primary.ok_or_else(|| StepError::Failed(format!("{account} has no primary to archive")))?;

    // What came in after the archive was taken would be lost, so the doors close first.
    let close = ChannelsSet {
        instance_id: primary.id.to_string(),
        generation: generation.0,
        open: false,
        ..ChannelsSet::default()
    };
    if primary.channels_on {
        context.command(&primary, "close", close, context.hands.limits.long_command).await?;
        context.change(&primary.id, |instance| instance.channels_on = false).await?;
    }

    let folder = context.hands.paths.archives.join(account.as_str());
    let order = ArchiveCreate {
        instance_id: primary.id.to_string(),
        archive_id: archive.to_string(),
        destination: folder.join(format!("{archive}.tar.zst")).display().to_string(),
    };
    let reply = context.command(&primary, "archive", order, context.hands.limits.long_command).await?;
    let Some(reply::Body::Archive(report)) = reply.body else {
        return Err(StepError::Failed("the node answered something else than an archive".into()));
    };
    let now = context.now();
    let taken = Archive {
        id: archive.clone(),
        account: account.clone(),
        taken_at: now,
        bytes: report.bytes,
        sha256: report.sha256,
        location: report.path,
        keep_until: now + SignedDuration::from_hours(24 * KEPT_DAYS),
    };
    context
        .write(|fleet, changes| {
            if let Some(gateway) = fleet.gateways.get(account) {
                let mut gateway = gateway.clone();
                gateway.archive = Some(archive.clone());
                changes.push(gateway.into());
            }
            changes.push(taken.clone().into());
        })
        .await?;
    Ok(json!({ "archive": archive, "bytes": taken.bytes, "sha256": taken.sha256 }))
}

/// Opens again what was closed for the archive. The endpoint says that users reached this primary before.
pub(super) async fn give_up(context: &StepContext<'_>, account: &AccountId) -> Result<(), StepError> {
    let mute = context.hands.store.read(|fleet| {
        let was_served = fleet.gateways.get(account).is_some_and(|gateway| gateway.endpoint.is_some());
        let primary = fleet.primary_of(account).filter(|primary| was_served && !primary.channels_on);
        primary.map(|primary| primary.id.clone())
    });
    match mute {
        Some(primary) => channels::connect(context, account, &primary).await.map(drop),
        None => Ok(()),
    }
}
