//! Rollouts of a revision over gateways, and the way back.

use super::{Halves, InTurn, all_halves, distinct, is_running, parts, plural};
use crate::{
    PlanError, abreast,
    draft::{Draft, gate_percent, is_this_host, writes_at_once},
    error::Kind,
};
use gf_model::{
    AccountId, InstanceId, OperationId, RevisionId, Timestamp,
    fleet::Fleet,
    gateway::Gateway,
    instance::Instance,
    operation::{Lane, Step, StepState},
    verb::{Pace, Strategy},
};
use std::collections::BTreeMap;

/// The largest batch that can be asked for; whether it is too large to be called rolling is for policy to say.
const LARGEST_BATCH: i64 = 1000;
const LARGEST_CANARY: i64 = 100_000;

pub(super) fn push(
    draft: &mut Draft<'_>,
    accounts: &[AccountId],
    revision: RevisionId,
    strategy: Strategy,
    batch_size: u32,
    pace: &Pace,
) -> Result<(), PlanError> {
    let in_range = |field, given: u32, max: i64| match i64::from(given) {
        given if (1..=max).contains(&given) => Ok(()),
        given => Err(PlanError::OutOfRange { field, given, min: 1, max }),
    };
    // After a canary the rest may follow in one batch: it has been tried by then.
    if batch_size > 0 || pace.canary.is_empty() {
        in_range("batchSize", batch_size, LARGEST_BATCH)?;
    }
    for size in &pace.canary {
        in_range("canarySizes", *size, LARGEST_CANARY)?;
    }
    let fleet = draft.fleet;
    let mut in_turn = InTurn::of(fleet);
    let wanted = distinct(accounts);
    let wanted: Vec<&Gateway> =
        wanted.iter().map(|account| in_turn.get(account)).collect::<Result<_, _>>()?;
    let now = draft.now;
    let reached = abreast::map(&wanted, |gateways, reached| {
        let pairs = gateways.iter().copied().zip(all_halves(fleet, gateways));
        reached.extend(pairs.map(|(gateway, halves)| Reached::of(fleet, gateway, halves, revision, now)));
    });
    let mut lanes = Vec::with_capacity(wanted.len());
    draft.makes_room_for(wanted.len(), 2 * wanted.len());
    let (mut held_back, mut some_are_here) = (None, false);
    for (gateway, reached) in wanted.iter().zip(reached) {
        if let Some(warning) = reached.warning {
            if reached.is_held_back {
                held_back.get_or_insert_with(|| warning.clone());
            }
            draft.warn(warning);
        }
        let Some(lane) = reached.lane else { continue };
        lanes.push(lane);
        some_are_here |= reached.is_here;
        draft.touches_account(&gateway.account);
        for (instance, id) in reached.targets.into_iter().flatten() {
            draft.names(instance, id);
        }
    }
    if lanes.is_empty() {
        return Err(match held_back {
            Some(why) => PlanError::NothingToDo { what: "push", why },
            None => PlanError::NothingMatches { what: "a gateway that runs".into() },
        });
    }
    let (gateways, instances) = (lanes.len(), draft.plan.instances.len());
    let parallel = writes_at_once(some_are_here);
    match strategy {
        Strategy::Rolling if pace.canary.is_empty() => draft.batches(batch_size, parallel, lanes),
        Strategy::Rolling => draft.canary(&pace.canary, batch_size, parallel, lanes),
        Strategy::Immediate => {
            draft.stage("all at once", parallel, lanes);
            if let Some(stage) = draft.plan.stages.last_mut() {
                stage.fail_above_percent = gate_percent(stage.lanes.len());
            }
        }
    }
    let sizes = match draft.plan.stages.len() {
        1 => "at once".to_owned(),
        _ if !pace.canary.is_empty() => {
            let sizes: Vec<_> = draft.plan.stages.iter().map(|stage| stage.lanes.len().to_string()).collect();
            format!("as a canary, in batches of {}", sizes.join(", "))
        }
        n => format!(
            "in {n} batches, the last of {}",
            draft.plan.stages.last().map_or(0, |stage| stage.lanes.len())
        ),
    };
    draft.line(format!(
        "{revision} to {} ({}) {sizes}; the standby of each first",
        plural(gateways, "gateway"),
        plural(instances, "instance")
    ));
    draft.line(match pace.canary.is_empty() {
        true => {
            "one bad target of a batch is flagged and left; more than 10 % put their batch back and end the rollout"
        }
        false => "more than 10 % of a batch, the first of one included, put their batch back and end the rollout",
    });
    if pace.settle_seconds > 0 {
        let (settle, percent) = (pace.settle_seconds, pace.total_percent);
        draft.line(format!(
            "each batch must be well {settle} s after its last write, or what is not is put back; more than {percent} % of all gateways end the rollout"
        ));
    }
    Ok(())
}

pub(super) fn rollback(
    draft: &mut Draft<'_>,
    rollout: &OperationId,
    accounts: &[AccountId],
) -> Result<(), PlanError> {
    let Some(operation) = draft.fleet.operations.get(rollout) else {
        let given = rollout.to_string();
        return Err(PlanError::Unknown {
            kind: Kind::Operation,
            given,
            close: Vec::new(),
            known: Vec::new(),
        });
    };
    if !matches!(operation.verb, gf_model::verb::Verb::ConfigPush { .. }) {
        return Err(PlanError::NotARollout(rollout.clone()));
    }
    let wanted = distinct(accounts);
    let mut by_account: BTreeMap<&AccountId, Vec<(&Instance, RevisionId)>> = BTreeMap::new();
    for (id, revision) in applied(draft, rollout) {
        let Some(instance) = draft.fleet.instances.get(id).filter(|instance| is_running(instance)) else {
            continue;
        };
        if !wanted.is_empty() && !wanted.contains(&instance.account) {
            continue;
        }
        if let Some(later) = instance.revision.filter(|now| *now > revision) {
            // The way back of the older one leads past the newer one's keys.
            let why =
                format!("{} of {} went on to {later}; roll that back first", instance.id, instance.account);
            return Err(PlanError::NothingToDo { what: "rollback", why });
        }
        by_account.entry(&instance.account).or_default().push((instance, revision));
    }
    let mut lanes = Vec::new();
    for (account, mut targets) in by_account {
        if let Some(revision) = targets.first().map(|(_, revision)| *revision) {
            // A standby that was built since began with the revision's keys.
            let (primary, standby) = parts(draft.fleet, account);
            let began_with_it = primary.into_iter().chain(standby).filter(|instance| {
                is_running(instance)
                    && instance.revision == Some(revision)
                    && targets.iter().all(|(known, _)| known.id != instance.id)
            });
            let more: Vec<_> = began_with_it.map(|instance| (instance, revision)).collect();
            targets.extend(more);
        }
        // What was a standby may be the primary by now.
        targets.sort_by_key(|(instance, _)| std::cmp::Reverse(instance.role));
        let steps = targets.iter().map(|(instance, revision)| Step::RevertRevision {
            instance: instance.id.clone(),
            revision: *revision,
        });
        lanes.push(Lane::new(account.as_str(), steps));
        take(draft, account, targets.iter().map(|(instance, _)| *instance));
    }
    if lanes.is_empty() {
        let why = format!("no instance has what {rollout} applied");
        return Err(PlanError::NothingToDo { what: "rollback", why });
    }
    draft.line(format!("{} back to the keys that each had before {rollout}", plural(lanes.len(), "gateway")));
    let parallel = draft.writes_there();
    draft.batches(crate::BATCH, parallel, lanes);
    // Going back is not stopped by a target that cannot: the others are better off on what they had.
    draft.plan.stages.iter_mut().for_each(|stage| stage.fail_above_percent = 100);
    Ok(())
}

/// What a rollout wrote and did not take back.
fn applied<'a>(draft: &Draft<'a>, rollout: &OperationId) -> Vec<(&'a InstanceId, RevisionId)> {
    let lanes = draft.fleet.lanes_of(rollout);
    lanes
        .flat_map(|record| &record.lane.steps)
        .filter(|record| record.state == StepState::Done)
        .filter_map(|record| match &record.step {
            Step::ApplyRevision { instance, revision } => Some((instance, *revision)),
            _ => None,
        })
        .collect()
}

/// What a push finds at one gateway.
#[derive(Default)]
struct Reached<'a> {
    /// Without one the gateway is left out.
    lane: Option<Lane>,
    /// Those that can be written to, standby first.
    targets: [Option<(&'a Instance, InstanceId)>; 2],
    /// Whether one of them is on this host.
    is_here: bool,
    warning: Option<String>,
    /// It is left out because somebody said so.
    is_held_back: bool,
}

impl<'a> Reached<'a> {
    /// Without a primary there is nothing to validate against, and the gateway is left out and named.
    fn of(
        fleet: &'a Fleet,
        gateway: &Gateway,
        (primary, standby): Halves<'a>,
        revision: RevisionId,
        now: Timestamp,
    ) -> Self {
        let account = &gateway.account;
        if let Some(why) = gateway.upkeep.against_a_rollout(now) {
            let warning = Some(format!("{account} is left out: {why}"));
            return Self { warning, is_held_back: true, ..Self::default() };
        }
        let Some(running) = primary.filter(|primary| is_running(primary)) else {
            let state = primary.map_or("missing", |primary| primary.state.name());
            let warning = Some(format!("{account} is left out: its primary is {state}"));
            return Self { warning, ..Self::default() };
        };
        let standby = standby.filter(|standby| is_running(standby));
        let targets = [standby, Some(running)];
        let named = || targets.iter().copied().flatten();
        let step = |instance: &Instance| Step::ApplyRevision { instance: instance.id.clone(), revision };
        // As many as there are, so that no lane of a hundred thousand takes room for more.
        let lane = match standby {
            Some(standby) => Lane::new(account.as_str(), [step(standby), step(running)]),
            None => Lane::new(account.as_str(), [step(running)]),
        };
        let lonely = || format!("{account} has no running standby; a new one starts with the new keys");
        Self {
            lane: Some(lane),
            targets: targets.map(|target| target.map(|instance| (instance, instance.id.clone()))),
            is_here: named().any(|instance| is_this_host(fleet, &instance.provider)),
            warning: standby.is_none().then(lonely),
            is_held_back: false,
        }
    }
}

fn take<'a>(draft: &mut Draft<'a>, account: &AccountId, instances: impl Iterator<Item = &'a Instance>) {
    draft.touches_account(account);
    for instance in instances {
        draft.touches(instance);
    }
}
