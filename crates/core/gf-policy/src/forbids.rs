//! What a step may not do, judged against the fleet as it is when the step is about to act.
//!
//! A plan was right when it was made. Between then and now an instance may have died, a pair may have moved.

use gf_model::{
    AccountId, InstanceId,
    fleet::Fleet,
    gateway::Gateway,
    instance::{Instance, InstanceState, Role},
    operation::{Operation, Step, StepState},
    provider::ProviderId,
    verb::Verb,
};

/// The limit that a step ran into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("nothing is changed without a durable audit row")]
    NoAuditRow,
    #[error("{instance} is an ACTIVE primary without an ACTIVE standby, and no archive of it is finished")]
    UnprotectedPrimary { instance: InstanceId },
    #[error("{instance} belongs to {owner}, which this operation does not cover")]
    NotCovered { instance: InstanceId, owner: AccountId },
    #[error("{instance} is not fenced yet, so nothing may take its place")]
    NotFenced { instance: InstanceId },
    #[error("the standby of {account} is not ACTIVE any more, so its primary keeps its right to act")]
    StandbyNotActive { account: AccountId },
    #[error("{account} has the primary {other} already")]
    SecondPrimary { account: AccountId, other: InstanceId },
    #[error("{account} has the standby {other} already")]
    SecondStandby { account: AccountId, other: InstanceId },
    #[error("the other instance of {account} is at {provider} too")]
    SameProvider { account: AccountId, provider: ProviderId },
    #[error("{instance} is not the primary of {account} and may not have its channels")]
    NotPrimary { instance: InstanceId, account: AccountId },
    #[error("{other} still has the channels of {account}")]
    StillConnected { account: AccountId, other: InstanceId },
}

pub fn forbids(
    fleet: &Fleet,
    step: &Step,
    operation: &Operation,
    audit_is_durable: bool,
) -> Option<Forbidden> {
    if !audit_is_durable {
        return Some(Forbidden::NoAuditRow);
    }
    match step {
        Step::CreateInstance { instance, account, role, provider, .. } => {
            create(fleet, fleet.gateways.get(account)?, instance, *role, provider)
        }
        Step::RaiseGeneration { account, expected } => {
            let first_time = fleet.gateways.get(account)?.generation == *expected;
            let ready = fleet.standby_of(account).is_some_and(Instance::is_active);
            (first_time && !ready).then(|| Forbidden::StandbyNotActive { account: account.clone() })
        }
        Step::Promote { account, instance } => promote(fleet, operation, account, instance),
        Step::ConnectChannels { account, instance } => {
            connect(fleet, operation, fleet.gateways.get(account)?, instance)
        }
        Step::DeleteInstance { instance } => delete(fleet, operation, fleet.instances.get(instance)?),
        _ => None,
    }
}

fn create(
    fleet: &Fleet,
    gateway: &Gateway,
    new: &InstanceId,
    role: Role,
    provider: &ProviderId,
) -> Option<Forbidden> {
    let there = |id: &Option<InstanceId>| {
        let other = fleet.instances.get(id.as_ref()?)?;
        let there = other.state.exists() && other.state != InstanceState::TearingDown;
        (there && other.id != *new).then_some(other)
    };
    if role == Role::Primary
        && let Some(other) = there(&gateway.primary)
    {
        return Some(Forbidden::SecondPrimary { account: gateway.account.clone(), other: other.id.clone() });
    }
    let beside = match role {
        Role::Primary => there(&gateway.standby),
        Role::Standby => there(&gateway.primary),
    };
    if beside.is_some_and(|beside| beside.provider == *provider) {
        return Some(Forbidden::SameProvider {
            account: gateway.account.clone(),
            provider: provider.clone(),
        });
    }
    // The one that is in the way is named, or nobody would ever look after it again.
    if role == Role::Standby
        && let Some(other) = there(&gateway.standby)
    {
        return Some(Forbidden::SecondStandby { account: gateway.account.clone(), other: other.id.clone() });
    }
    None
}

/// What stands in the step log counts: a late report of a node that was cut off does not bring it back.
fn promote(fleet: &Fleet, operation: &Operation, account: &AccountId, new: &InstanceId) -> Option<Forbidden> {
    let primary = fleet.primary_of(account).filter(|primary| primary.id != *new)?;
    let gone =
        matches!(primary.state, InstanceState::Stopped | InstanceState::Deleted) && !primary.channels_on;
    let is_its_fence = |step: &Step| matches!(step, Step::Fence { instance } if *instance == primary.id);
    let fenced = gone || is_done(fleet, operation, account, is_its_fence);
    (!fenced).then(|| Forbidden::NotFenced { instance: primary.id.clone() })
}

fn connect(fleet: &Fleet, operation: &Operation, gateway: &Gateway, id: &InstanceId) -> Option<Forbidden> {
    let account = gateway.account.clone();
    if gateway.primary.as_ref() != Some(id) {
        return Some(Forbidden::NotPrimary { instance: id.clone(), account });
    }
    let runs = |state: InstanceState| {
        !matches!(state, InstanceState::Stopped | InstanceState::TearingDown | InstanceState::Deleted)
    };
    let other = fleet.standby_of(&account).filter(|other| other.id != *id)?;
    let is_its_fence = |step: &Step| matches!(step, Step::Fence { instance } if *instance == other.id);
    let can_act =
        other.channels_on && runs(other.state) && !is_done(fleet, operation, &account, is_its_fence);
    can_act.then(|| Forbidden::StillConnected { account: account.clone(), other: other.id.clone() })
}

fn delete(fleet: &Fleet, operation: &Operation, instance: &Instance) -> Option<Forbidden> {
    let account = &instance.account;
    if !operation.verb.accounts().contains(account) {
        return Some(Forbidden::NotCovered { instance: instance.id.clone(), owner: account.clone() });
    }
    let is_primary =
        fleet.gateways.get(account).and_then(|gateway| gateway.primary.as_ref()) == Some(&instance.id);
    let protected =
        fleet.standby_of(account).is_some_and(|standby| standby.is_active() && standby.id != instance.id);
    let archived = matches!(operation.verb, Verb::Teardown { standby_only: false, .. })
        && is_done(fleet, operation, account, |step| matches!(step, Step::TakeArchive { .. }));
    (is_primary && instance.is_active() && !protected && !archived)
        .then(|| Forbidden::UnprotectedPrimary { instance: instance.id.clone() })
}

/// Whether this operation's lane of the account has done such a step.
fn is_done(fleet: &Fleet, operation: &Operation, account: &AccountId, such: impl Fn(&Step) -> bool) -> bool {
    fleet
        .lanes_of(&operation.id)
        .filter(|record| record.lane.target == account.as_str())
        .flat_map(|record| &record.lane.steps)
        .any(|record| record.state == StepState::Done && such(&record.step))
}

#[cfg(test)]
#[path = "forbids_tests.rs"]
pub(crate) mod tests;
