//! The end of pairs: what is kept of them first, then the standby, then the primary.

use super::{distinct, gateway, parts, plural};
use crate::{PlanError, draft::Draft};
use gf_model::{
    AccountId,
    gateway::Desired,
    instance::Instance,
    operation::{Lane, Step},
};

pub(super) fn plan(
    draft: &mut Draft<'_>,
    accounts: &[AccountId],
    archive: bool,
    standby_only: bool,
) -> Result<(), PlanError> {
    let accounts = distinct(accounts);
    if accounts.is_empty() {
        return Err(PlanError::NothingMatches { what: "no account".into() });
    }
    let mut lanes = Vec::new();
    for account in accounts.iter() {
        let lane = if standby_only { standby(draft, account)? } else { pair(draft, account, archive)? };
        draft.touches_account(account);
        lanes.push(lane);
    }
    let fleet = draft.fleet;
    let providers = accounts.iter().flat_map(|account| {
        let (primary, standby) = parts(fleet, account);
        primary.into_iter().chain(standby).map(|instance| &instance.provider)
    });
    let parallel = draft.parallel(providers);
    draft.stage("teardown", parallel, lanes);
    let count = plural(accounts.len(), if standby_only { "standby" } else { "pair" })
        .replace("standbys", "standbies");
    if standby_only {
        draft.warn(format!("{count} unprotected until the control plane has built another"));
    } else if archive {
        draft.irreversible(format!(
            "{count} deleted at their providers; an archive of each is kept for 30 days"
        ));
    } else {
        draft.irreversible(format!("{count} deleted with all that they remember; nothing is kept"));
    }
    Ok(())
}

fn pair(draft: &mut Draft<'_>, account: &AccountId, archive: bool) -> Result<Lane, PlanError> {
    let gateway = gateway(draft.fleet, account)?;
    let (primary, standby) = parts(draft.fleet, account);
    if primary.is_none() && standby.is_none() {
        let why = match gateway.desired {
            Desired::Archived => format!("{account} is torn down already"),
            Desired::Pair => format!("{account} has no instance"),
        };
        return Err(PlanError::NothingToDo { what: "teardown", why });
    }
    let mut steps = Vec::new();
    if archive && primary.is_some() {
        steps.push(Step::TakeArchive { account: account.clone(), archive: draft.archive_id() });
    }
    for instance in standby.into_iter().chain(primary) {
        steps.push(delete(draft, instance));
    }
    steps.push(Step::MarkArchived { account: account.clone() });
    steps.push(Step::TellCompanion { account: account.clone(), event: "gateway.archived".into() });
    let places: Vec<_> =
        primary.into_iter().chain(standby).map(|i| format!("{} at {}", i.id, i.provider)).collect();
    draft.line(format!("{account}: {} deleted", places.join(" and ")));
    Ok(Lane::new(account.as_str(), steps))
}

fn standby(draft: &mut Draft<'_>, account: &AccountId) -> Result<Lane, PlanError> {
    gateway(draft.fleet, account)?;
    let (_, standby) = parts(draft.fleet, account);
    let standby = standby.ok_or_else(|| PlanError::Lacks { account: account.clone(), missing: "standby" })?;
    draft.line(format!("{account}: standby {} at {} deleted", standby.id, standby.provider));
    let step = delete(draft, standby);
    Ok(Lane::new(account.as_str(), vec![step]))
}

/// The step that deletes it, with its price taken off.
pub(super) fn delete<'a>(draft: &mut Draft<'a>, instance: &'a Instance) -> Step {
    draft.touches(instance);
    if instance.is_paid() {
        draft.plan.cost_delta = draft.plan.cost_delta - instance.monthly_cost;
    }
    Step::DeleteInstance { instance: instance.id.clone() }
}
