//! What no approval lifts.

use crate::{Refused, Request, limits};
use gf_model::{
    InstanceId,
    fleet::Fleet,
    instance::InstanceState,
    operation::{Stage, Step},
    plan::Plan,
    verb::{Strategy, Verb},
};
use std::collections::BTreeSet;

pub(crate) fn refused(rule: &str, message: String, fix: &str) -> Refused {
    Refused { rule: rule.to_owned(), message, fix: Some(fix.to_owned()) }
}

pub(crate) fn limits_of(request: &Request<'_>) -> Option<Refused> {
    too_many_at_once(request.verb, request.plan)
        .or_else(|| unprotected_delete(request.fleet, request.verb, request.plan))
}

/// More than a hundred instances change only in batches of which each is validated before the next.
fn too_many_at_once(verb: &Verb, plan: &Plan) -> Option<Refused> {
    let count = plan.instances.len();
    if count <= limits::INSTANCES_AT_ONCE {
        return None;
    }
    let immediate = matches!(verb, Verb::ConfigPush { strategy: Strategy::Immediate, .. });
    let largest = plan.stages.iter().map(changed_in).max().unwrap_or(0);
    // Going back to what was before is a protective act: its batches are small, and none of them stops the next.
    let ungated = !matches!(verb, Verb::Rollback { .. }) && plan.stages.iter().any(is_ungated);
    let fix = match verb {
        _ if !immediate && largest <= limits::INSTANCES_AT_ONCE && !ungated => return None,
        Verb::ConfigPush { .. } if immediate => {
            "push with strategy rolling, which validates each batch before the next"
        }
        Verb::ConfigPush { .. } => "use batches of at most 50 gateways",
        _ => "ask for at most 50 pairs at a time",
    };
    let message = format!(
        "{count} instances would change without being validated in batches; the limit is {}",
        limits::INSTANCES_AT_ONCE
    );
    Some(refused("too_many_at_once", message, fix))
}

/// Whether more of its lanes may fail than a tenth, or than one, before the rest is stopped.
fn is_ungated(stage: &Stage) -> bool {
    let lanes = stage.lanes.len();
    let may_fail = |percent: u8| lanes * usize::from(percent) / 100;
    may_fail(stage.fail_above_percent) > may_fail(limits::GATE_PERCENT).max(1)
}

fn changed_in(stage: &Stage) -> usize {
    let steps = stage.lanes.iter().flat_map(|lane| &lane.steps);
    let changed: BTreeSet<&InstanceId> = steps
        .filter_map(|record| match &record.step {
            Step::Restart { instance }
            | Step::ApplyRevision { instance, .. }
            | Step::RevertRevision { instance, .. }
            | Step::Resize { instance, .. }
            | Step::DeleteInstance { instance } => Some(instance),
            _ => None,
        })
        .collect();
    changed.len()
}

/// An ACTIVE primary that would be deleted while no ACTIVE standby stays, unless the whole pair goes after its archive.
fn unprotected_delete(fleet: &Fleet, verb: &Verb, plan: &Plan) -> Option<Refused> {
    let whole_pair = matches!(verb, Verb::Teardown { archive: true, standby_only: false, .. });
    if whole_pair {
        return None;
    }
    let lanes = plan.stages.iter().flat_map(|stage| &stage.lanes);
    let deleted: BTreeSet<&InstanceId> = lanes
        .flat_map(|lane| &lane.steps)
        .filter_map(|record| match &record.step {
            Step::DeleteInstance { instance } => Some(instance),
            _ => None,
        })
        .collect();
    let unprotected = deleted.iter().filter_map(|id| fleet.instances.get(*id)).find(|instance| {
        let gateway = fleet.gateways.get(&instance.account);
        let is_primary = gateway.is_some_and(|gateway| gateway.primary.as_ref() == Some(&instance.id));
        let stays = fleet
            .standby_of(&instance.account)
            .is_some_and(|standby| standby.is_active() && !deleted.contains(&standby.id));
        is_primary && instance.state == InstanceState::Active && !stays
    })?;
    let message = format!(
        "{} is the ACTIVE primary of {}; no ACTIVE standby would stay and no archive would be taken",
        unprotected.id, unprotected.account
    );
    Some(refused("teardown_unprotected", message, "tear the whole pair down with an archive"))
}
