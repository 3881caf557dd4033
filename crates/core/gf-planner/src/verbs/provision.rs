//! New pairs.

use super::distinct;
use crate::{
    PROVISION_LIMIT, PlanError, cost,
    draft::Draft,
    place::{Placer, Wish},
};
use gf_model::{
    AccountId, Tier,
    instance::Role,
    operation::{Lane, MemorySource, Step},
    verb::Verb,
};

pub(super) fn plan(draft: &mut Draft<'_>, verb: &Verb) -> Result<(), PlanError> {
    let Verb::Provision { accounts, tier, regions, primary_provider, standby_provider, .. } = verb else {
        return Err(PlanError::NothingToDo { what: "provision", why: "it is another verb".into() });
    };
    let accounts = distinct(accounts);
    if accounts.is_empty() || accounts.len() > PROVISION_LIMIT {
        let (given, max) = (accounts.len() as i64, PROVISION_LIMIT as i64);
        return Err(PlanError::OutOfRange { field: "count", given, min: 1, max });
    }
    for account in accounts.iter() {
        is_new(draft, account)?;
    }
    let mut placer = Placer::new(draft.fleet);
    let wish =
        Wish { tier: *tier, regions, primary: primary_provider.as_ref(), standby: standby_provider.as_ref() };
    let mut lanes = Vec::new();
    for account in accounts.iter() {
        draft.touches_account(account);
        lanes.push(pair(draft, &mut placer, &wish, account, None)?);
    }
    let parallel = parallel(draft, &lanes);
    draft.stage("provision", parallel, lanes);
    Ok(())
}

/// An account that is served, or whose memory waits in an archive, is not provisioned over.
fn is_new(draft: &Draft<'_>, account: &AccountId) -> Result<(), PlanError> {
    let Some(gateway) = draft.fleet.gateways.get(account) else { return Ok(()) };
    let lives = |instance: &&gf_model::instance::Instance| instance.account == *account;
    if draft.fleet.live_instances().any(|instance| lives(&instance)) {
        return Err(PlanError::AlreadyServed(account.clone()));
    }
    if gateway.archive.is_some() {
        return Err(PlanError::HasArchive(account.clone()));
    }
    Ok(())
}

/// The lane that makes a whole pair, with or without a memory to start from.
pub(super) fn pair(
    draft: &mut Draft<'_>,
    placer: &mut Placer<'_>,
    wish: &Wish<'_>,
    account: &AccountId,
    memory: Option<&MemorySource>,
) -> Result<Lane, PlanError> {
    let (at_primary, at_standby) = placer.pair(wish)?;
    let (primary, standby) = (draft.instance_id(), draft.instance_id());
    let price = cost::price(draft.fleet, &at_primary.provider, wish.tier)
        + cost::price(draft.fleet, &at_standby.provider, wish.tier);
    draft.plan.cost_delta = draft.plan.cost_delta + price;
    draft.line(format!(
        "{account}: primary {at_primary}, standby {at_standby}, {} {price} a month",
        wish.tier
    ));
    let create = |instance: &gf_model::InstanceId, role, spot: &crate::place::Spot| Step::CreateInstance {
        instance: instance.clone(),
        account: account.clone(),
        role,
        tier: wish.tier,
        provider: spot.provider.clone(),
        region: spot.region.clone(),
        memory: memory.cloned(),
    };
    Ok(Lane::new(
        account.as_str(),
        vec![
            create(&primary, Role::Primary, &at_primary),
            create(&standby, Role::Standby, &at_standby),
            Step::AwaitActive { instance: primary.clone() },
            Step::AwaitActive { instance: standby },
            Step::ConnectChannels { account: account.clone(), instance: primary },
            Step::MarkServed { account: account.clone() },
            Step::TellCompanion { account: account.clone(), event: "gateway.active".into() },
        ],
    ))
}

pub(super) fn parallel(draft: &Draft<'_>, lanes: &[Lane]) -> u32 {
    let providers = lanes.iter().flat_map(|lane| &lane.steps).filter_map(|record| match &record.step {
        Step::CreateInstance { provider, .. } => Some(provider),
        _ => None,
    });
    draft.parallel(providers)
}

/// A wish for anywhere.
pub(super) const fn anywhere(tier: Tier) -> Wish<'static> {
    Wish { tier, regions: &[], primary: None, standby: None }
}
