//! The hard limits: what no approval lifts, and of what a person must have been told, whatever the rules' files say.

use crate::{
    Asked, Refused,
    agents::{Right, is_child, row},
    breaker::{self, Moves, Verdict},
    facts::{Unprotected, is_protective},
    limits,
};
use gf_model::{
    Cents, InstanceId,
    fleet::Fleet,
    instance::InstanceState,
    operation::{Stage, Step},
    person::Principal,
    plan::Plan,
    verb::{Strategy, Verb},
};
use std::collections::BTreeSet;

/// What a person must be asked for, and what the question then must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MustAsk {
    pub rule: &'static str,
    /// `None`: the question says it anyway.
    pub note: Option<String>,
}

pub(crate) fn refused(rule: &str, message: String, fix: &str) -> Refused {
    Refused { rule: rule.to_owned(), message, fix: Some(fix.to_owned()) }
}

/// Refuses what nobody may do; otherwise says what a person must be asked for.
pub fn floor(asked: &Asked<'_>) -> Result<Vec<MustAsk>, Refused> {
    let refusal = too_many_at_once(asked)
        .or_else(|| unprotected_delete(asked))
        .or_else(|| outside_the_row(asked))
        .or_else(|| frozen(asked))
        .or_else(|| halted(asked));
    match refusal {
        Some(refused) => Err(refused),
        None => Ok(must_ask(asked)),
    }
}

/// More than a hundred instances change only in batches of which each is validated before the next.
fn too_many_at_once(asked: &Asked<'_>) -> Option<Refused> {
    let count = asked.facts.unvalidated;
    let fix = match asked.verb {
        "config_push" => {
            "push with strategy rolling and batches of at most 50 gateways: each is validated before the next"
        }
        _ => "ask for at most 50 pairs at a time",
    };
    let message = format!(
        "{count} instances would change without being validated in batches; the limit is {}",
        limits::INSTANCES_AT_ONCE
    );
    (count > limits::INSTANCES_AT_ONCE).then(|| refused("too_many_at_once", message, fix))
}

fn unprotected_delete(asked: &Asked<'_>) -> Option<Refused> {
    let Unprotected { account, instance } = asked.facts.leaves_unprotected.as_ref()?;
    let message = format!(
        "{instance} is the ACTIVE primary of {account}; no ACTIVE standby would stay and no archive would be taken"
    );
    Some(refused("teardown_unprotected", message, "tear the whole pair down with an archive"))
}

/// Nobody but a person is trusted with more than their row of the table.
fn outside_the_row(asked: &Asked<'_>) -> Option<Refused> {
    let act = asked.verb.replace('_', " ");
    match asked.principal {
        Principal::Person(_) => None,
        Principal::Service(_) if is_protective(asked.principal, asked.verb) => None,
        Principal::Service(name) => Some(refused(
            "service_not_permitted",
            format!("service {name} may not {act} by itself"),
            "a person or Commander can ask for it",
        )),
        Principal::Agent(name) => match row(name) {
            None => Some(refused(
                "unknown_agent",
                format!("{name} is no agent of the team"),
                "the agents are commander, guardian, forge, ledger, triage and briefer",
            )),
            Some(row) if row.right_to(asked.verb) == Right::Never => Some(refused(
                "outside_the_agents_row",
                format!("agent {name} may never {act}"),
                "Commander can ask a person for it",
            )),
            Some(_) => None,
        },
    }
}

/// While automation is frozen nothing happens that no person ordered.
fn frozen(asked: &Asked<'_>) -> Option<Refused> {
    let Principal::Service(name) = asked.principal else { return None };
    let message = || format!("automation is frozen, so {name} does nothing by itself");
    asked.facts.frozen.then(|| refused("frozen", message(), "a person can order it, or thaw"))
}

/// The breaker of the control plane's own failovers.
fn halted(asked: &Asked<'_>) -> Option<Refused> {
    if asked.verb != "failover" || !is_protective(asked.principal, asked.verb) {
        return None;
    }
    let facts = asked.facts;
    let moves = Moves {
        running: facts.failovers_running,
        lately: facts.failovers_lately,
        allowed: facts.failovers_allowed,
        confirmed: facts.outage_confirmed,
    };
    match breaker::decide(&moves) {
        Verdict::Go => None,
        Verdict::Wait { running } => Some(refused(
            "breaker_failovers_at_once",
            format!("{running} failovers run already; the limit is {}", limits::FAILOVERS_AT_ONCE),
            "it is tried again when one has ended",
        )),
        Verdict::Halt { moved, allowed } => Some(refused(
            "breaker_halted",
            format!(
                "{moved} pairs moved within ten minutes and the limit is {allowed}; no provider reports an incident there"
            ),
            "a person must look whether the gateways or their observer failed, and can order the failover",
        )),
    }
}

fn must_ask(asked: &Asked<'_>) -> Vec<MustAsk> {
    let mut must = Vec::new();
    if asked.facts.frozen && matches!(asked.principal, Principal::Agent(_)) {
        let note = "automation is frozen, so that agents do nothing without your yes".to_owned();
        must.push(MustAsk { rule: "frozen", note: Some(note) });
    }
    if asked.protects() {
        return must;
    }
    let facts = asked.facts;
    if let Principal::Agent(name) = asked.principal
        && row(name).is_some_and(|row| row.right_to(asked.verb) == Right::Ask)
        && !clears_a_failed_build(asked, name)
    {
        must.push(MustAsk { rule: "agents_ask_for_this", note: None });
    }
    if facts.users > limits::USERS && facts.accounts > 0 {
        let note = format!("affects {} users, counting the last 15 minutes: {}", facts.users, facts.names());
        must.push(MustAsk { rule: "more_than_ten_users", note: Some(note) });
    }
    let is_more = i128::from(facts.cost_delta) * 100
        > i128::from(facts.monthly_before) * i128::from(limits::COST_PERCENT);
    if Cents(facts.monthly_before) >= limits::COST_BASE && is_more {
        let percent = facts.cost_percent().unwrap_or_default();
        let note = format!("the fleet's monthly cost rises by {percent} %");
        must.push(MustAsk { rule: "cost_rises_by_more_than_a_fifth", note: Some(note) });
    }
    must
}

/// Forge takes away a standby that it could not get to run; one that ever was ACTIVE is somebody's protection.
fn clears_a_failed_build(asked: &Asked<'_>, agent: &str) -> bool {
    asked.facts.never_ran && row(agent).is_some_and(|row| row.agent == "forge")
}

/// A child asks no person for anything.
pub(crate) fn child_asks_nobody(asked: &Asked<'_>) -> Option<Refused> {
    let Principal::Agent(name) = asked.principal else { return None };
    is_child(name).then(|| {
        let message = format!("this is more than {name} may do alone, and a child asks no person");
        refused("child_asks_nobody", message, "the parent can ask")
    })
}

/// The most instances that change together before anybody looks whether they are well.
pub(crate) fn unvalidated(verb: &Verb, plan: &Plan) -> usize {
    let count = plan.instances.len();
    let immediate = matches!(verb, Verb::ConfigPush { strategy: Strategy::Immediate, .. });
    // Going back to what was before, and leaving a place that is lost, are protective acts: their batches are small, and
    // none of them stops the next.
    let protects = matches!(verb, Verb::Rollback { .. } | Verb::Failover { outage: Some(_), .. });
    let ungated = !protects && plan.stages.iter().any(is_ungated);
    if immediate || ungated {
        return count;
    }
    let mut validated = 0;
    let mut most = 0;
    for changed in plan.stages.iter().map(changed_in) {
        if validated == 0 || changed > validated * limits::STEP_UP {
            most = most.max(changed);
        }
        if is_watched(verb) {
            validated += changed;
        }
    }
    most.min(count)
}

/// Whether its batches are looked at after they were written, each before the next begins.
const fn is_watched(verb: &Verb) -> bool {
    matches!(verb, Verb::ConfigPush { pace, .. } | Verb::UpdateNodes { pace, .. } if pace.settle_seconds > 0)
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
pub(crate) fn leaves_unprotected(fleet: &Fleet, verb: &Verb, plan: &Plan) -> Option<Unprotected> {
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
    Some(Unprotected { account: unprotected.account.clone(), instance: unprotected.id.clone() })
}
