//! One module per verb: from settled parameters to lanes of steps.

mod configure;
mod failover;
mod nodes;
mod policy;
mod provision;
mod resize;
mod restart;
mod restore;
mod teardown;

use crate::{IdSource, PlanError, draft::Draft};
use gf_model::{
    AccountId, InstanceId, Timestamp,
    fleet::Fleet,
    gateway::Gateway,
    instance::{Instance, InstanceState},
    plan::Plan,
    table::Range,
    verb::Verb,
};
use std::{borrow::Cow, collections::BTreeSet};

pub(crate) fn plan(
    fleet: &Fleet,
    verb: &Verb,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    let mut draft = Draft::new(fleet, verb, ids, now);
    match verb {
        Verb::Provision { .. } => provision::plan(&mut draft, verb)?,
        Verb::Teardown { accounts, archive, standby_only, .. } => {
            teardown::plan(&mut draft, accounts, *archive, *standby_only)?;
        }
        Verb::Restore { account, archive, snapshot, .. } => {
            restore::plan(&mut draft, account, archive.as_ref(), snapshot.as_ref(), now)?;
        }
        Verb::Resize { accounts, tier } => resize::plan(&mut draft, accounts, *tier)?,
        Verb::ConfigPush { accounts, revision, strategy, batch_size, pace } => {
            configure::push(&mut draft, accounts, *revision, *strategy, *batch_size, pace)?;
        }
        Verb::Rollback { rollout, accounts } => configure::rollback(&mut draft, rollout, accounts)?,
        Verb::Restart { instances, concurrency, .. } => restart::plan(&mut draft, instances, *concurrency)?,
        Verb::Failover { outage: Some(outage), .. } => failover::leave(&mut draft, outage)?,
        Verb::Failover { account, .. } => failover::failover(&mut draft, account)?,
        Verb::RebuildStandby { account } => failover::rebuild(&mut draft, account)?,
        Verb::ProviderPolicy { provider, pool, .. } => policy::pool(&mut draft, provider, *pool)?,
        Verb::UpdateNodes { nodes, release, ring_size, pace } => {
            nodes::update(&mut draft, nodes, release, *ring_size, pace)?;
        }
        Verb::Silence { scope, minutes, .. } => policy::silence(&mut draft, scope, *minutes, now)?,
    }
    Ok(draft.finish())
}

/// Each once, in the order in which they were named.
fn distinct<T: Clone + Ord>(given: &[T]) -> Cow<'_, [T]> {
    // As it comes from an expansion.
    if given.is_sorted_by(|a, b| a < b) {
        return Cow::Borrowed(given);
    }
    let mut seen = BTreeSet::new();
    given.iter().filter(|item| seen.insert(*item)).cloned().collect()
}

/// The gateway of an account that somebody named.
fn gateway<'a>(fleet: &'a Fleet, account: &AccountId) -> Result<&'a Gateway, PlanError> {
    if let Some(gateway) = fleet.gateways.get(account) {
        return Ok(gateway);
    }
    let id = crate::expand::account(fleet, account.as_str())?;
    fleet.gateways.get(&id).ok_or(PlanError::Lacks { account: id, missing: "gateway" })
}

/// Gateways one after the other: whoever asks for them in the order of their names finds each beside the last one.
struct InTurn<'a> {
    fleet: &'a Fleet,
    next: Range<'a, AccountId, Gateway>,
}

impl<'a> InTurn<'a> {
    fn of(fleet: &'a Fleet) -> Self {
        Self { fleet, next: fleet.gateways.range(..) }
    }

    fn get(&mut self, account: &AccountId) -> Result<&'a Gateway, PlanError> {
        if let Some((_, beside)) = self.next.next().filter(|(id, _)| *id == account) {
            return Ok(beside);
        }
        self.next = self.fleet.gateways.range(account..);
        match self.next.next().filter(|(id, _)| *id == account) {
            Some((_, found)) => Ok(found),
            None => gateway(self.fleet, account),
        }
    }
}

/// A primary and a standby, where they are.
type Halves<'a> = (Option<&'a Instance>, Option<&'a Instance>);

/// The parts of a pair that are somewhere: its primary, then its standby.
fn parts<'a>(fleet: &'a Fleet, account: &AccountId) -> Halves<'a> {
    fleet.gateways.get(account).map_or((None, None), |gateway| halves(fleet, gateway))
}

fn halves<'a>(fleet: &'a Fleet, gateway: &Gateway) -> Halves<'a> {
    let half = |found: Option<&'a Instance>| found.filter(|instance| instance.state.exists());
    (half(fleet.primary(gateway)), half(fleet.standby(gateway)))
}

/// Those of some gateways, looked up together.
fn all_halves<'a>(fleet: &'a Fleet, gateways: &[&Gateway]) -> Vec<Halves<'a>> {
    let exists = |instance: &&Instance| instance.state.exists();
    let of = |id: fn(&Gateway) -> Option<&InstanceId>| {
        let found = fleet.instances.get_each(gateways.iter().map(|gateway| id(gateway)));
        found.into_iter().map(move |half| half.filter(exists))
    };
    of(|gateway| gateway.primary.as_ref()).zip(of(|gateway| gateway.standby.as_ref())).collect()
}

/// Whether a command to it has somebody to arrive at.
fn is_running(instance: &Instance) -> bool {
    matches!(instance.state, InstanceState::Active | InstanceState::Degraded)
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
