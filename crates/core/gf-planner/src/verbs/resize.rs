//! Another tier for pairs: the standby first, so that a tier that does not work out never reaches the user.

use super::{distinct, gateway, is_running, parts};
use crate::{PlanError, cost, draft::Draft};
use gf_model::{
    AccountId, Tier,
    instance::Instance,
    operation::{Lane, Step},
};

pub(super) fn plan(draft: &mut Draft<'_>, accounts: &[AccountId], tier: Tier) -> Result<(), PlanError> {
    let accounts = distinct(accounts);
    let mut lanes = Vec::new();
    for account in accounts.iter() {
        if let Some(lane) = pair(draft, account, tier)? {
            lanes.push(lane);
        }
    }
    if lanes.is_empty() {
        let why = format!("every account named is {tier} already");
        return Err(PlanError::NothingToDo { what: "resize", why });
    }
    let fleet = draft.fleet;
    let providers = draft.plan.instances.iter().filter_map(|id| fleet.instances.get(id)).map(|i| &i.provider);
    let parallel = draft.parallel(providers);
    draft.batches(crate::BATCH, parallel, lanes);
    if let [only] = &mut draft.plan.stages[..] {
        // One batch is no rollout: whoever has the new tier keeps it, whatever happens to another.
        only.fail_above_percent = 100;
        only.title = "resize".into();
    }
    draft.line("each instance restarts once, the standby first; its user waits for one boot at most");
    Ok(())
}

fn pair(draft: &mut Draft<'_>, account: &AccountId, tier: Tier) -> Result<Option<Lane>, PlanError> {
    gateway(draft.fleet, account)?;
    let (primary, standby) = parts(draft.fleet, account);
    let primary = primary.ok_or_else(|| PlanError::Lacks { account: account.clone(), missing: "primary" })?;
    let wrong = |instance: &&Instance| instance.tier != tier && is_running(instance);
    let due: Vec<_> = standby.into_iter().chain([primary]).filter(wrong).collect();
    if due.is_empty() {
        draft.warn(format!("{account} is left out: it is {} already", primary.tier));
        return Ok(None);
    }
    let mut steps = Vec::new();
    let mut delta = gf_model::Cents(0);
    for instance in due {
        if !cost::sells(draft.fleet, &instance.provider, tier) {
            return Err(PlanError::NotSold { provider: instance.provider.clone(), tier });
        }
        draft.touches(instance);
        delta = delta + cost::price(draft.fleet, &instance.provider, tier) - instance.monthly_cost;
        steps.push(Step::Resize { instance: instance.id.clone(), tier });
        steps.push(Step::AwaitActive { instance: instance.id.clone() });
    }
    draft.touches_account(account);
    draft.line(format!("{account}: {} to {tier}, {} a month", primary.tier, cost::signed(delta)));
    draft.plan.cost_delta = draft.plan.cost_delta + delta;
    Ok(Some(Lane::new(account.as_str(), steps)))
}
