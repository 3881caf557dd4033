//! What must be done to protect the fleet, as a pure decision over the fleet as it is: the heal tree.
//!
//! Nodes restart a process that ended by themselves; what is decided here is what a node cannot: whether to restart
//! one that hangs, to move a pair to its standby, to replace a standby, or to call a person.

use gf_model::{
    AccountId, InstanceId, NodeId, OperationId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    health::{HEAL_BELOW, HEARTBEAT_LIMIT_SECONDS, RESTART_LIMIT, RESTART_WINDOW_SECONDS},
    instance::{Instance, InstanceState},
    node::Node,
    operation::{LaneState, Operation, OperationState, Step, StepState},
    verb::Verb,
};
use std::collections::{BTreeMap, HashSet};

/// A low score must last this long before anything is restarted: the "verify" of the heal tree.
const VERIFY_SECONDS: i64 = 15;
/// How long a restarted instance may take to answer, at least.
const ANSWER_SECONDS: i64 = 90;
/// How long a start may take that nobody waits for any more.
const START_SECONDS: i64 = 420;
/// Between a repair that failed and the next try.
const FIRST_PAUSE_SECONDS: i64 = 30;
const LONGEST_PAUSE_SECONDS: i64 = 3600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protect {
    Restart {
        account: AccountId,
        instance: InstanceId,
        reason: String,
    },
    Failover {
        account: AccountId,
        reason: String,
    },
    RebuildStandby {
        account: AccountId,
    },
    /// It was promoted and did not get its channels: what was cut off there goes on.
    Reconnect {
        account: AccountId,
        operation: OperationId,
    },
    /// Nothing can be done alone: a person must come.
    Critical {
        account: AccountId,
        instance: InstanceId,
        why: String,
    },
}

impl Protect {
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Restart { account, .. }
            | Self::Failover { account, .. }
            | Self::RebuildStandby { account }
            | Self::Reconnect { account, .. }
            | Self::Critical { account, .. } => account,
        }
    }
}

/// Everything that is due now, pairs in the order of their accounts.
pub fn due(fleet: &Fleet, now: Timestamp) -> Vec<Protect> {
    due_among(fleet, fleet.gateways.values(), fleet.nodes.values(), now)
}

/// What is due for these alone.
pub(crate) fn due_of<'a>(
    fleet: &Fleet,
    accounts: impl Iterator<Item = &'a AccountId>,
    now: Timestamp,
) -> Vec<Protect> {
    let gateways: Vec<&Gateway> = accounts.filter_map(|account| fleet.gateways.get(account)).collect();
    if gateways.is_empty() {
        return Vec::new();
    }
    let members = gateways.iter().flat_map(|gateway| gateway.primary.iter().chain(&gateway.standby));
    let nodes = members.filter_map(|id| fleet.nodes.get(fleet.instances.get(id)?.node.as_ref()?));
    due_among(fleet, gateways.iter().copied(), nodes, now)
}

/// Whether nothing can become due for the pair, however much time passes, until one of its records or the node of one
/// changes: it is whole, serves, and is heard of.
pub(crate) fn is_at_ease(fleet: &Fleet, gateway: &Gateway) -> bool {
    let is_heard = |id: &NodeId| fleet.nodes.get(id).is_none_or(|node| node.connected);
    let well = |id: &Option<InstanceId>| {
        let instance = fleet.instances.get(id.as_ref()?)?;
        (instance.is_active() && instance.node.as_ref().is_none_or(is_heard)).then_some(instance)
    };
    gateway.desired != Desired::Pair
        || well(&gateway.primary).is_some_and(|primary| primary.channels_on)
            && well(&gateway.standby).is_some()
}

/// `nodes` are those, at least, that these pairs are on.
fn due_among<'a>(
    fleet: &'a Fleet,
    gateways: impl Iterator<Item = &'a Gateway>,
    nodes: impl Iterator<Item = &'a Node>,
    now: Timestamp,
) -> Vec<Protect> {
    let held = gf_operations::held(fleet);
    let look = Look::at(fleet, nodes, now);
    gateways
        .filter(|gateway| gateway.desired == Desired::Pair)
        .filter(|gateway| !is_held(&held, gateway))
        .filter_map(|gateway| look.for_pair(gateway))
        .filter(|act| !is_too_soon(fleet, act, now) && !waits_for_its_provider(fleet, act))
        .collect()
}

/// A standby that was lost where its provider reports an incident is replaced when that is over: it may come back, and
/// everybody's replacement at once would be a storm at the others.
fn waits_for_its_provider(fleet: &Fleet, act: &Protect) -> bool {
    let Protect::RebuildStandby { account } = act else { return false };
    let lost = fleet.standby_of(account);
    lost.and_then(|lost| fleet.providers.get(&lost.provider)?.incident_at(&lost.region)).is_some()
}

/// A fleet at a moment.
struct Look<'a> {
    fleet: &'a Fleet,
    now: Timestamp,
    /// Nodes that nothing was heard of for too long. Found beforehand, since most instances are on none of them.
    silent: HashSet<&'a NodeId>,
}

/// A repair that failed is tried again after half a minute, then twice as long each time, up to an hour: a heal
/// never loops.
fn is_too_soon(fleet: &Fleet, act: &Protect, now: Timestamp) -> bool {
    let is_same = |verb: &Verb| match (act, verb) {
        (Protect::Restart { instance, .. }, Verb::Restart { instances, .. }) => instances.contains(instance),
        (Protect::Failover { account, .. }, Verb::Failover { account: other, .. })
        | (Protect::RebuildStandby { account }, Verb::RebuildStandby { account: other }) => account == other,
        _ => false,
    };
    let mut ended: Vec<_> = fleet
        .operations
        .values()
        .filter(|operation| is_same(&operation.verb))
        .filter_map(|operation| Some((operation.audit_seq, operation.finished_at?, operation.state)))
        .collect();
    // In the order of the trail: a clock that was wrong would put what came earlier after it.
    ended.sort_by_key(|(seq, ..)| std::cmp::Reverse(*seq));
    let failures = ended.iter().take_while(|(.., state)| *state != OperationState::Done).count();
    let Some((_, last, _)) = ended.first().filter(|_| failures > 0) else { return false };
    let pause = FIRST_PAUSE_SECONDS.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE_SECONDS);
    is_within(*last, pause, now)
}

/// Whether that is less than so many seconds ago. What ended in the future ended under a clock that was ahead: how
/// long ago that is nobody knows, and it must not be waited for until the clock is there again.
fn is_within(at: Timestamp, seconds: i64, now: Timestamp) -> bool {
    at <= now && now.duration_since(at).as_secs() < seconds
}

impl<'a> Look<'a> {
    fn at(fleet: &'a Fleet, nodes: impl Iterator<Item = &'a Node>, now: Timestamp) -> Self {
        let is_silent = |node: &&Node| {
            !node.connected && now.duration_since(node.last_change).as_secs() >= HEARTBEAT_LIMIT_SECONDS
        };
        let silent = nodes.filter(is_silent).map(|node| &node.id).collect();
        Self { fleet, now, silent }
    }

    fn half(&self, id: Option<&InstanceId>) -> Option<&'a Instance> {
        self.fleet.instances.get(id?)
    }

    fn for_pair(&self, gateway: &Gateway) -> Option<Protect> {
        let account = || gateway.account.clone();
        let primary = self.half(gateway.primary.as_ref())?;
        let standby = self.half(gateway.standby.as_ref());
        if let Some(trouble) = self.trouble(primary) {
            return match trouble {
                Trouble::Hangs(reason) => {
                    Some(Protect::Restart { account: account(), instance: primary.id.clone(), reason })
                }
                Trouble::Gone(why) => Some(match standby {
                    Some(standby) if standby.is_active() => {
                        Protect::Failover { account: account(), reason: why }
                    }
                    Some(standby) if self.is_coming(standby) => return None,
                    _ => Protect::Critical { account: account(), instance: primary.id.clone(), why },
                }),
            };
        }
        if !primary.channels_on
            && let Some(cut_off) = cut_off_before_its_channels(self.fleet, primary)
        {
            return due_again(cut_off, self.now)
                .then(|| Protect::Reconnect { account: account(), operation: cut_off.id.clone() });
        }
        // A standby is only replaced while its primary serves: the machine's strength belongs to the users first.
        if !primary.is_active() {
            return None;
        }
        let Some(standby) = standby else { return Some(Protect::RebuildStandby { account: account() }) };
        match (standby.state, self.trouble(standby)) {
            // One whose deletion failed half-way is in the way of the next.
            (InstanceState::Stopped | InstanceState::TearingDown | InstanceState::Deleted, _)
            | (_, Some(Trouble::Gone(_))) => Some(Protect::RebuildStandby { account: account() }),
            (_, Some(Trouble::Hangs(reason))) => {
                Some(Protect::Restart { account: account(), instance: standby.id.clone(), reason })
            }
            _ => None,
        }
    }

    /// A standby that is starting serves in a moment: waiting for it is quicker than calling somebody.
    fn is_coming(&self, standby: &Instance) -> bool {
        let starting = matches!(
            standby.state,
            InstanceState::Creating
                | InstanceState::Bootstrapping
                | InstanceState::StandbyPromoting
                | InstanceState::Degraded
        );
        starting && self.trouble(standby).is_none()
    }

    fn trouble(&self, instance: &Instance) -> Option<Trouble> {
        let since = self.now.duration_since(instance.state_since).as_secs();
        match instance.state {
            InstanceState::Failed => {
                let why = instance.flagged.as_deref().unwrap_or("its node could not bring it back");
                Some(Trouble::Gone(format!("{} failed: {why}", instance.id)))
            }
            InstanceState::Stopped => Some(Trouble::Gone(format!("{} is stopped", instance.id))),
            InstanceState::Degraded => degraded(instance, since, self.now),
            InstanceState::Active if self.is_silent(instance) => {
                Some(Trouble::Gone(format!("the node of {} has been silent for three minutes", instance.id)))
            }
            InstanceState::Creating | InstanceState::Bootstrapping | InstanceState::StandbyPromoting
                if since >= START_SECONDS =>
            {
                Some(Trouble::Gone(format!("{} did not come up within {START_SECONDS} s", instance.id)))
            }
            _ => None,
        }
    }

    fn is_silent(&self, instance: &Instance) -> bool {
        !self.silent.is_empty() && instance.node.as_ref().is_some_and(|node| self.silent.contains(node))
    }
}

/// The newest operation that should have given this primary its channels and could not.
fn cut_off_before_its_channels<'a>(fleet: &'a Fleet, primary: &Instance) -> Option<&'a Operation> {
    let failed_at_it = |operation: &&Operation| {
        let ended = operation.state.is_over() && operation.state != OperationState::Done;
        ended
            && fleet.lanes_of(&operation.id).any(|record| {
                record.lane.state == LaneState::Failed && record.lane.steps.iter().any(|step| {
                step.state == StepState::Failed
                    && matches!(&step.step, Step::ConnectChannels { instance, .. } if *instance == primary.id)
            })
            })
    };
    fleet.operations.values().filter(failed_at_it).max_by_key(|operation| operation.audit_seq)
}

/// An operation that goes on again and again is given time, as repairs are.
fn due_again(operation: &Operation, now: Timestamp) -> bool {
    operation.finished_at.is_none_or(|at| !is_within(at, FIRST_PAUSE_SECONDS, now))
}

enum Trouble {
    /// It runs and does not answer: a restart may help.
    Hangs(String),
    /// Restarting does not help any more.
    Gone(String),
}

fn degraded(instance: &Instance, since: i64, now: Timestamp) -> Option<Trouble> {
    let recent = |at: &&Timestamp| now.duration_since(**at).as_secs() < RESTART_WINDOW_SECONDS;
    let restarts = instance.restarts.iter().filter(recent).count();
    if restarts > RESTART_LIMIT {
        return Some(Trouble::Gone(format!("{} was restarted {restarts} times in ten minutes", instance.id)));
    }
    let patience = answer_limit(instance);
    if since >= patience {
        return Some(Trouble::Gone(format!("{} did not answer within {patience} s", instance.id)));
    }
    // A process that ended is being restarted by its node; one that runs and is sick is not.
    let ended = instance.restarts.last().is_some_and(|at| *at >= instance.state_since);
    let sick = instance.health.as_ref().is_some_and(|health| health.score < HEAL_BELOW);
    (sick && !ended && since >= VERIFY_SECONDS)
        .then(|| Trouble::Hangs(format!("{} runs and does not answer", instance.id)))
}

/// The larger of 90 s and three times the last boot.
fn answer_limit(instance: &Instance) -> i64 {
    let three_boots = instance.last_boot_ms.map_or(0, |ms| (ms * 3 / 1000) as i64);
    three_boots.max(ANSWER_SECONDS)
}

/// Whether an operation is changing the pair now.
fn is_held(held: &BTreeMap<&str, &Operation>, gateway: &Gateway) -> bool {
    let instances = gateway.primary.iter().chain(&gateway.standby).map(|id| id.as_str());
    held.contains_key(gateway.account.as_str()) || instances.into_iter().any(|id| held.contains_key(id))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;
