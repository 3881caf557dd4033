//! OpenClaw started anew on instances; the two of a pair never at the same time.

use super::{distinct, plural};
use crate::{PlanError, draft::Draft, expand};
use gf_model::{
    AccountId, InstanceId,
    fleet::Fleet,
    instance::{Instance, InstanceState, Role},
    operation::{Lane, Step},
    verb::Verb,
};

const MOST_AT_ONCE: i64 = 100;
/// Instances that are left out and named one by one.
const NAMED: usize = 5;

pub(super) fn plan(
    draft: &mut Draft<'_>,
    instances: &[InstanceId],
    concurrency: u32,
) -> Result<(), PlanError> {
    if concurrency == 0 || i64::from(concurrency) > MOST_AT_ONCE {
        let given = i64::from(concurrency);
        return Err(PlanError::OutOfRange { field: "concurrency", given, min: 1, max: MOST_AT_ONCE });
    }
    let fleet = draft.fleet;
    let teardowns = teardowns(fleet);
    let (mut standbys, mut primaries, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut held_back = None;
    for id in distinct(instances).iter() {
        let Some(instance) = fleet.instances.get(id).filter(|instance| instance.state.exists()) else {
            expand::instance(fleet, id.as_str())?;
            continue;
        };
        if instance.state == InstanceState::Creating || is_going(&teardowns, instance) {
            left_out.push(id.clone());
            continue;
        }
        // One that is not well is healed by it, whatever the hour.
        let upkeep = fleet.gateways.get(&instance.account).map(|gateway| &gateway.upkeep);
        if instance.is_active()
            && let Some(why) = upkeep.and_then(|upkeep| upkeep.against_a_restart(draft.now))
        {
            let text = format!("{id} of {} is left out: {why}", instance.account);
            held_back.get_or_insert_with(|| text.clone());
            draft.warn(text);
            continue;
        }
        draft.touches_account(&instance.account);
        draft.touches(instance);
        let steps = vec![Step::Restart { instance: id.clone() }, Step::AwaitActive { instance: id.clone() }];
        let lane = Lane::new(id.as_str(), steps);
        match instance.role {
            Role::Standby => standbys.push(lane),
            Role::Primary => primaries.push(lane),
        }
    }
    let (of_standbys, of_primaries) = (standbys.len(), primaries.len());
    if of_standbys + of_primaries == 0 {
        return Err(match held_back {
            Some(why) => PlanError::NothingToDo { what: "restart", why },
            None => PlanError::NothingMatches { what: "an instance that can be restarted".into() },
        });
    }
    // What is asked, counted and started is what can be restarted, and not what was named.
    if let Verb::Restart { instances, .. } = &mut draft.plan.verb {
        instances.clone_from(&draft.plan.instances);
    }
    let parallel = concurrency.min(draft.parallel_there());
    for lanes in [standbys, primaries] {
        draft.batches(crate::BATCH, parallel, lanes);
    }
    if of_standbys + of_primaries <= crate::BATCH as usize {
        for (stage, title) in draft.plan.stages.iter_mut().zip(["restart", "restart primaries"]) {
            // A few restarts are no rollout: each is told by itself, and none is held back for another.
            stage.fail_above_percent = 100;
            stage.title = title.into();
        }
    }
    draft.line(format!(
        "{} restarted, {parallel} at a time, each probed by a real request",
        plural(of_standbys + of_primaries, "instance")
    ));
    if of_primaries > 0 {
        draft.line(format!(
            "users of {} wait for one boot",
            plural(of_primaries, "primary").replace("primarys", "primaries")
        ));
    }
    if !left_out.is_empty() {
        let ids: Vec<_> = left_out.iter().take(NAMED).map(InstanceId::as_str).collect();
        let more = if left_out.len() > NAMED { ", …" } else { "" };
        draft.line(format!(
            "{} left out, being made or torn down: {}{more}",
            plural(left_out.len(), "instance"),
            ids.join(", ")
        ));
    }
    Ok(())
}

/// Teardowns under way: whose, and whether only their standbys go.
fn teardowns(fleet: &Fleet) -> Vec<(&[AccountId], bool)> {
    let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
    open.filter_map(|operation| match &operation.verb {
        Verb::Teardown { accounts, standby_only, .. } => Some((accounts.as_slice(), *standby_only)),
        _ => None,
    })
    .collect()
}

/// Whether it is being torn down, or about to be by what runs.
fn is_going(teardowns: &[(&[AccountId], bool)], instance: &Instance) -> bool {
    instance.state == InstanceState::TearingDown
        || teardowns.iter().any(|(accounts, standby_only)| {
            accounts.contains(&instance.account) && (!standby_only || instance.role == Role::Standby)
        })
}
