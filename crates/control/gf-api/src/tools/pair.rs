//! `gf_pair_status`: both halves of an account's gateway.

use super::Call;
use crate::{
    Problem,
    problem::parse_id,
    view::{
        condition::Pair,
        line, progress, sla,
        words::{self, per_month},
    },
};
use gf_model::{AccountId, OperationId, Timestamp, fleet::Fleet, gateway::Gateway};
use gf_planner::sla::{Looked, Month, Verdict};
use gf_policy::leases;
use gf_tools::{
    PairStatusParams, PairStatusReply,
    pair::{LastFailover, SnapshotLine},
};

pub(super) fn status(call: &Call, params: PairStatusParams) -> Result<PairStatusReply, Problem> {
    let id: AccountId = parse_id("accountId", &params.account_id)?;
    let operation: Option<OperationId> =
        params.operation_id.as_deref().map(|given| parse_id("operationId", given)).transpose()?;
    let now = call.api.clock.now();
    let month = sla::month_named(params.month.as_deref(), now)?;
    call.api.store.read(|fleet| {
        let gateway = gateway_of(fleet, &id)?;
        let mut reply = of_month(fleet, gateway, month, now);
        if let Some(id) = operation {
            let operation = fleet.operations.get(&id).ok_or_else(|| Problem::not_found("operation", &id))?;
            reply.operation = Some(progress::line(fleet, operation));
        }
        Ok(reply)
    })
}

/// The gateway of an account that somebody named.
pub fn gateway_of<'a>(fleet: &'a Fleet, id: &AccountId) -> Result<&'a Gateway, Problem> {
    fleet.gateways.get(id).ok_or_else(|| {
        let known: Vec<_> = fleet.gateways.keys().collect();
        let fix = if known.is_empty() {
            "there is no account yet".to_owned()
        } else {
            format!("use {}", words::list(&known, 8))
        };
        Problem::not_found("account", id).fix(fix)
    })
}

pub fn reply(fleet: &Fleet, gateway: &Gateway, now: Timestamp) -> PairStatusReply {
    of_month(fleet, gateway, Month::of(now), now)
}

fn of_month(fleet: &Fleet, gateway: &Gateway, month: Month, now: Timestamp) -> PairStatusReply {
    let pair = Pair::of(fleet, gateway);
    let cost = pair.as_ref().map(line::cost).unwrap_or_default();
    let snapshot = fleet.newest_snapshot(&gateway.account);
    let (verdict, sla) = sla::line(fleet, gateway, &Looked::of(fleet, month, now), month);
    let mut reply = PairStatusReply {
        summary: String::new(),
        account_id: gateway.account.to_string(),
        tier: gateway.tier.to_string(),
        condition: pair.map_or("archived", |pair| pair.condition.name()).to_owned(),
        generation: gateway.generation.0,
        fencing: gateway.fencing.name().to_owned(),
        waits_for_stop: pair.and_then(|pair| {
            let standby = pair.standby.filter(|standby| standby.is_active());
            let why = leases::ends_in_silence(fleet, pair.primary.filter(|_| standby.is_some())?).err()?;
            Some(why.to_string())
        }),
        primary: pair.and_then(|pair| pair.primary).map(line::instance),
        standby: pair.and_then(|pair| pair.standby).map(line::instance),
        last_failover: gateway.last_failover.as_ref().map(|failover| LastFailover {
            at: failover.at.to_string(),
            reason: failover.reason.clone(),
            rpo_seconds: failover.rpo_seconds.map(|seconds| seconds as f64),
            seconds: failover.took_ms as f64 / 1000.0,
        }),
        snapshot: snapshot.map(|snapshot| SnapshotLine {
            id: snapshot.id.to_string(),
            age_seconds: words::age(snapshot.taken_at, now),
        }),
        sla_percent: sla.achieved_percent,
        sla_target_percent: Some(sla.target_percent),
        sla_met: (verdict != Verdict::Unknown).then_some(verdict == Verdict::Met),
        sla_seconds_left: Some(sla.seconds_left),
        sla: Some(sla),
        revision: gateway.revision.map(|revision| revision.to_string()),
        monthly_cost_cents: cost.0,
        monthly_cost: per_month(cost),
        operation: None,
    };
    reply.summary = summary(&reply, gateway, month, now);
    reply
}

fn summary(reply: &PairStatusReply, gateway: &Gateway, month: Month, now: Timestamp) -> String {
    if reply.condition == "archived" {
        let archive = gateway.archive.as_ref().map_or("no archive".to_owned(), |id| format!("archive {id}"));
        return format!("{} is torn down; {archive} is what is left of it.", gateway.account);
    }
    let half = |line: &Option<gf_tools::InstanceLine>| match line {
        Some(line) => {
            let score = line.score.map(|score| format!(", score {score}")).unwrap_or_default();
            format!("{} {} at {}{score}", line.instance_id, line.state, line.provider)
        }
        None => "missing".to_owned(),
    };
    let failover = match &gateway.last_failover {
        None => "It never failed over.".to_owned(),
        Some(last) => {
            let memory = last.rpo_seconds.map_or("unknown".to_owned(), |s| words::seconds(s as f64));
            format!(
                "Last failover {} ago, {} to {}, memory lost: {memory}.",
                words::seconds(words::age(last.at, now)),
                last.from,
                last.to
            )
        }
    };
    let snapshot = reply.snapshot.as_ref().map_or("There is no snapshot yet.".to_owned(), |snapshot| {
        format!("Newest snapshot {} old.", words::seconds(snapshot.age_seconds))
    });
    let missed = match reply.sla_met {
        Some(true) => "",
        Some(false) => ", which misses its target",
        None => ", and what is unknown decides whether that meets its target",
    };
    let lost = reply.sla.as_ref().map(sla::lost).unwrap_or_default();
    let of = if month == Month::of(now) { "this month".to_owned() } else { month.to_string() };
    let sla = match reply.sla_percent {
        Some(share) => format!(" Served {share} % of what is known of {of}{missed}{lost}."),
        None => format!(" How it was served in {of} is unknown."),
    };
    let unheard = match &reply.waits_for_stop {
        Some(why) => format!(
            " Fenced {}: should its node fall silent, its standby takes over only once it is confirmed off ({why}).",
            reply.fencing
        ),
        None => String::new(),
    };
    format!(
        "{} ({}, {}) is {}, generation {}: primary {}; standby {}. {failover} {snapshot}{sla}{unheard}",
        reply.account_id,
        reply.tier,
        reply.monthly_cost,
        reply.condition.replace('_', " "),
        reply.generation,
        half(&reply.primary),
        half(&reply.standby),
    )
}
