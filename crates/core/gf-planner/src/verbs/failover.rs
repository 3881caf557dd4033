//! A pair moved to its standby, and the standby that is missing afterwards.

use super::{InTurn, distinct, gateway, halves, parts, plural, teardown};
use crate::{
    PlanError, cost,
    draft::Draft,
    place::{Placer, Spot},
};
use gf_model::{
    AccountId,
    fleet::Fleet,
    gateway::Generation,
    instance::{Instance, InstanceState, Role},
    operation::{Lane, MemorySource, Step},
    verb::{OUTAGE_SILENCE_MINUTES, Outage},
};

/// So many move at once.
const WAVE: usize = 20;

pub(super) fn failover(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), PlanError> {
    let gateway = gateway(draft.fleet, account)?;
    let (primary, standby) = parts(draft.fleet, account);
    let old = primary.ok_or_else(|| PlanError::Lacks { account: account.clone(), missing: "primary" })?;
    let new = standby.filter(|standby| standby.is_active()).ok_or_else(|| PlanError::StandbyNotActive {
        account: account.clone(),
        state: standby.map(|standby| standby.state),
    })?;
    let lane = moves(draft, account, gateway.generation, old, new);
    draft.stage("failover", 1, vec![lane]);
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

/// The steps by which a pair moves.
fn moves<'a>(
    draft: &mut Draft<'a>,
    account: &AccountId,
    expected: Generation,
    old: &'a Instance,
    new: &'a Instance,
) -> Lane {
    draft.touches_account(account);
    draft.touches(old);
    draft.touches(new);
    let steps = vec![
        Step::RaiseGeneration { account: account.clone(), expected },
        Step::Fence { instance: old.id.clone() },
        Step::LoadMemory { account: account.clone(), instance: new.id.clone() },
        Step::Promote { account: account.clone(), instance: new.id.clone() },
        Step::ConnectChannels { account: account.clone(), instance: new.id.clone() },
    ];
    Lane::new(account.as_str(), steps)
}

/// Everybody whose primary is at the place and whose standby is ACTIVE elsewhere, in waves. One that cannot be moved
/// does not hold the others back.
pub(super) fn leave(draft: &mut Draft<'_>, outage: &Outage) -> Result<(), PlanError> {
    let there = |instance: &Instance| {
        instance.provider == outage.provider
            && outage.region.as_ref().is_none_or(|region| instance.region == *region)
    };
    let (mut lanes, mut stay) = (Vec::new(), 0);
    let mut gateways = InTurn::of(draft.fleet);
    for account in distinct(&outage.accounts).iter() {
        let gateway = gateways.get(account)?;
        let (primary, standby) = halves(draft.fleet, gateway);
        // Who has left meanwhile needs nothing.
        let Some(old) = primary.filter(|primary| there(primary)) else { continue };
        match standby.filter(|standby| standby.is_active() && !there(standby)) {
            Some(new) => lanes.push(moves(draft, account, gateway.generation, old, new)),
            None => stay += 1,
        }
    }
    if lanes.is_empty() {
        let why = format!("no primary at {} has an ACTIVE standby elsewhere", outage.place());
        return Err(PlanError::NothingToDo { what: "failover", why });
    }
    let count = lanes.len();
    let waves = count.div_ceil(WAVE);
    draft.line(format!(
        "{} leave {} in {} of at most {WAVE}",
        plural(count, "primary").replace("primarys", "primaries"),
        outage.place(),
        plural(waves, "wave")
    ));
    draft.line(format!("alerts of {} are quiet for {OUTAGE_SILENCE_MINUTES} minutes", outage.place()));
    if stay > 0 {
        draft.warn(format!("{} without an ACTIVE standby elsewhere stay", plural(stay, "account")));
    }
    let mut lanes = lanes.into_iter();
    for wave in 1..=waves {
        let some = lanes.by_ref().take(WAVE).collect();
        draft.stage(&format!("wave {wave} of {waves}"), WAVE as u32, some);
    }
    draft.irreversible(
        "the primaries there lose the right to act; new standbys are built when their provider recovers",
    );
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
