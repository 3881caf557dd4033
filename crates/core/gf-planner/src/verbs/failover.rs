//! A pair moved to its standby, and the standby that is missing afterwards.

use super::{gateway, parts, teardown};
use crate::{
    PlanError, cost,
    draft::Draft,
    place::{Placer, Spot},
};
use gf_model::{
    AccountId,
    fleet::Fleet,
    instance::{Instance, InstanceState, Role},
    operation::{Lane, MemorySource, Step},
};

pub(super) fn failover(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), PlanError> {
    let gateway = gateway(draft.fleet, account)?;
    let (primary, standby) = parts(draft.fleet, account);
    let old = primary.ok_or_else(|| PlanError::Lacks { account: account.clone(), missing: "primary" })?;
    let new = standby.filter(|standby| standby.is_active()).ok_or_else(|| PlanError::StandbyNotActive {
        account: account.clone(),
        state: standby.map(|standby| standby.state),
    })?;
    draft.touches_account(account);
    draft.touches(old);
    draft.touches(new);
    let steps = vec![
        Step::RaiseGeneration { account: account.clone(), expected: gateway.generation },
        Step::Fence { instance: old.id.clone() },
        Step::LoadMemory { account: account.clone(), instance: new.id.clone() },
        Step::Promote { account: account.clone(), instance: new.id.clone() },
        Step::ConnectChannels { account: account.clone(), instance: new.id.clone() },
    ];
    draft.stage("failover", 1, vec![Lane::new(account.as_str(), steps)]);
    draft.line(format!(
        "{account} moves from {} at {} ({}) to {} at {}",
        old.id, old.provider, old.state, new.id, new.provider
    ));
    match draft.fleet.newest_snapshot(account) {
        Some(snapshot) => draft.line(format!(
            "it remembers what it knew at {}",
            snapshot.taken_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        )),
        None => draft.warn("there is no snapshot: the new primary remembers nothing that the old one learnt"),
    }
    draft.irreversible(format!("{} loses the right to act; a new standby is built in its stead", old.id));
    Ok(())
}

pub(super) fn rebuild(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), PlanError> {
    let gateway = gateway(draft.fleet, account)?;
    let (primary, standby) = parts(draft.fleet, account);
    let primary = primary.ok_or_else(|| PlanError::Lacks { account: account.clone(), missing: "primary" })?;
    if let Some(standby) = standby.filter(|standby| is_of_use(draft.fleet, standby)) {
        return Err(PlanError::HasStandby { account: account.clone(), standby: standby.id.clone() });
    }
    let beside = Spot { provider: primary.provider.clone(), region: primary.region.clone() };
    let spot = Placer::new(draft.fleet).standby(gateway.tier, &beside)?;
    draft.touches_account(account);
    let mut steps: Vec<_> = standby.into_iter().map(|old| teardown::delete(draft, old)).collect();
    let instance = draft.instance_id();
    let memory =
        draft.fleet.newest_snapshot(account).map(|snapshot| MemorySource::Snapshot(snapshot.id.clone()));
    if memory.is_none() {
        draft.warn("there is no snapshot yet: the standby remembers nothing until there is one");
    }
    let price = cost::price(draft.fleet, &spot.provider, gateway.tier);
    draft.plan.cost_delta = draft.plan.cost_delta + price;
    draft.line(format!("{account}: a new standby at {spot}, {price} a month"));
    steps.push(Step::CreateInstance {
        instance: instance.clone(),
        account: account.clone(),
        role: Role::Standby,
        tier: gateway.tier,
        provider: spot.provider,
        region: spot.region,
        memory,
    });
    steps.push(Step::AwaitActive { instance });
    draft.stage("rebuild standby", 1, vec![Lane::new(account.as_str(), steps)]);
    Ok(())
}

/// ACTIVE by the books is of no use when nobody has heard of its node.
fn is_of_use(fleet: &Fleet, standby: &Instance) -> bool {
    let connected =
        standby.node.as_ref().and_then(|node| fleet.nodes.get(node)).is_none_or(|node| node.connected);
    standby.state == InstanceState::Active && connected
}
