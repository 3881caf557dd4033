//! A pair again for an account of which an archive or a snapshot is left.

use super::{gateway, provision};
use crate::{PlanError, draft::Draft, error::Kind, place::Placer};
use gf_model::{AccountId, ArchiveId, SnapshotId, Timestamp, operation::MemorySource};

pub(super) fn plan(
    draft: &mut Draft<'_>,
    account: &AccountId,
    archive: Option<&ArchiveId>,
    snapshot: Option<&SnapshotId>,
    now: Timestamp,
) -> Result<(), PlanError> {
    let gateway = gateway(draft.fleet, account)?;
    if draft.fleet.live_instances().any(|instance| instance.account == *account) {
        return Err(PlanError::AlreadyServed(account.clone()));
    }
    let (memory, taken_at) = match (archive, snapshot) {
        (Some(id), _) => from_archive(draft, account, id, now)?,
        (None, Some(id)) => from_snapshot(draft, account, id)?,
        (None, None) => match (&gateway.archive, &gateway.last_snapshot) {
            (Some(id), _) => from_archive(draft, account, id, now)?,
            (None, Some(id)) => from_snapshot(draft, account, id)?,
            (None, None) => {
                return Err(PlanError::Lacks { account: account.clone(), missing: "archive or snapshot" });
            }
        },
    };
    draft.touches_account(account);
    let mut placer = Placer::new(draft.fleet);
    let wish = provision::anywhere(gateway.tier);
    let lane = provision::pair(draft, &mut placer, &wish, account, Some(&memory))?;
    draft.line(format!(
        "it remembers what it knew at {}; what was said later does not come back",
        taken_at.strftime("%Y-%m-%d %H:%M UTC")
    ));
    let parallel = provision::parallel(draft, std::slice::from_ref(&lane));
    draft.stage("restore", parallel, vec![lane]);
    Ok(())
}

fn from_archive(
    draft: &Draft<'_>,
    account: &AccountId,
    id: &ArchiveId,
    now: Timestamp,
) -> Result<(MemorySource, Timestamp), PlanError> {
    let kind = Kind::Archive;
    let Some(archive) = draft.fleet.archives.get(id) else {
        let own = draft.fleet.archives.values().filter(|archive| archive.account == *account);
        let close = own.map(|archive| archive.id.to_string()).collect();
        return Err(PlanError::Unknown { kind, given: id.to_string(), close, known: Vec::new() });
    };
    owned_by(kind, id.as_str(), &archive.account, account)?;
    if archive.keep_until <= now {
        let until = archive.keep_until.strftime("%Y-%m-%d %H:%M UTC").to_string();
        return Err(PlanError::NoLongerKept { kind, given: id.to_string(), until });
    }
    Ok((MemorySource::Archive(id.clone()), archive.taken_at))
}

fn from_snapshot(
    draft: &Draft<'_>,
    account: &AccountId,
    id: &SnapshotId,
) -> Result<(MemorySource, Timestamp), PlanError> {
    let kind = Kind::Snapshot;
    let Some(snapshot) = draft.fleet.snapshots.get(id) else {
        let own = draft.fleet.snapshots.values().filter(|snapshot| snapshot.account == *account);
        let close = own.map(|snapshot| snapshot.id.to_string()).take(3).collect();
        return Err(PlanError::Unknown { kind, given: id.to_string(), close, known: Vec::new() });
    };
    owned_by(kind, id.as_str(), &snapshot.account, account)?;
    Ok((MemorySource::Snapshot(id.clone()), snapshot.taken_at))
}

fn owned_by(kind: Kind, given: &str, owner: &AccountId, account: &AccountId) -> Result<(), PlanError> {
    if owner == account {
        return Ok(());
    }
    let (owner, account) = (owner.clone(), account.clone());
    Err(PlanError::BelongsToAnother { kind, given: given.to_owned(), owner, account })
}
