//! `gf_teardown` and `gf_restore`: a gateway goes and leaves its archive, or comes back from it.

use super::{Call, act::reason};
use crate::{
    Problem, json,
    problem::parse_id,
    view::words::{self, per_month},
};
use gf_model::{
    AccountId, Cents,
    fleet::Fleet,
    operation::{MemorySource, Step},
    verb::{TeardownReason, Verb},
};
use gf_planner::{cost, expand};
use gf_tools::{RestoreParams, RestoreReply, TeardownParams, TeardownReply, teardown::ArchiveLine};

/// Accounts that were named one by one; none of them twice.
pub(super) fn named(fleet: &Fleet, given: &[String]) -> Result<Vec<AccountId>, Problem> {
    if given.is_empty() {
        return Err(Problem::bad_request("missing_field", "which accounts?")
            .at("accountIds", "")
            .fix("give account ids"));
    }
    Ok(expand::accounts(fleet, &expand::Targets::Ids(given.to_vec()))?)
}

pub(super) fn teardown_verb(fleet: &Fleet, params: &TeardownParams) -> Result<Verb, Problem> {
    let why: TeardownReason =
        json::from_value(serde_json::Value::String(params.reason.clone())).map_err(|_| {
            Problem::bad_request(
                "unknown_reason",
                format!("{:?} is not a reason for a teardown", params.reason),
            )
            .at("reason", &params.reason)
            .fix("use idle, operator_request, billing_failure, account_closed or maintenance")
        })?;
    Ok(Verb::Teardown {
        accounts: named(fleet, &params.account_ids)?,
        reason: why,
        archive: params.archive.unwrap_or(true),
        standby_only: params.standby_only.unwrap_or_default(),
    })
}

pub(super) async fn teardown(call: &Call, params: TeardownParams) -> Result<TeardownReply, Problem> {
    let (verb, saving) = call.api.store.read(|fleet| {
        let verb = teardown_verb(fleet, &params)?;
        let standby_only = params.standby_only.unwrap_or_default();
        let gone = fleet.live_instances().filter(|instance| verb.accounts().contains(&instance.account));
        let gone = gone.filter(|i| !standby_only || i.role == gf_model::instance::Role::Standby);
        let saving = gone.map(|instance| instance.monthly_cost).sum::<Cents>();
        Ok::<_, Problem>((verb, saving))
    })?;
    let account_ids = verb.accounts().iter().map(ToString::to_string).collect();
    let done = call.request(verb, false).await?;
    let deleted = done.steps.iter().filter_map(|step| match step {
        Step::DeleteInstance { instance } => Some(instance.to_string()),
        _ => None,
    });
    let archives = call.api.store.read(|fleet| archives(fleet, &done.steps));
    Ok(TeardownReply {
        instance_ids: deleted.collect(),
        operation_id: done.operation_id(),
        summary: done.summary,
        approval: done.approval,
        account_ids,
        archives,
        monthly_saving_cents: saving.0,
        monthly_saving: per_month(saving),
    })
}

fn archives(fleet: &Fleet, steps: &[Step]) -> Vec<ArchiveLine> {
    let taken = steps.iter().filter_map(|step| match step {
        Step::TakeArchive { archive, .. } => fleet.archives.get(archive),
        _ => None,
    });
    taken
        .map(|archive| ArchiveLine {
            id: archive.id.to_string(),
            account_id: archive.account.to_string(),
            bytes: archive.bytes,
            kept_until: Some(archive.keep_until.to_string()),
        })
        .collect()
}

pub(super) fn restore_verb(fleet: &Fleet, params: &RestoreParams) -> Result<Verb, Problem> {
    let account = expand::account(fleet, &params.account_id)?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    Ok(Verb::Restore {
        account,
        archive: given(&params.archive).map(|id| parse_id("archive", &id)).transpose()?,
        snapshot: given(&params.snapshot).map(|id| parse_id("snapshot", &id)).transpose()?,
        reason: reason(&params.reason)?,
    })
}

pub(super) async fn restore(call: &Call, params: RestoreParams) -> Result<RestoreReply, Problem> {
    let verb = call.api.store.read(|fleet| restore_verb(fleet, &params))?;
    let now = call.api.clock.now();
    let account_id = verb.accounts().iter().map(ToString::to_string).collect();
    let done = call.request(verb, false).await?;
    let source = done.steps.iter().find_map(|step| match step {
        Step::CreateInstance { memory, .. } => memory.clone(),
        _ => None,
    });
    let made = done.steps.iter().filter_map(|step| match step {
        Step::CreateInstance { provider, tier, .. } => Some((provider, *tier)),
        _ => None,
    });
    let (cost, taken_at, name) = call.api.store.read(|fleet| {
        let cost: Cents = made.map(|(provider, tier)| cost::price(fleet, provider, tier)).sum();
        let (taken_at, name) = match &source {
            Some(MemorySource::Archive(id)) => (fleet.archives.get(id).map(|a| a.taken_at), id.to_string()),
            Some(MemorySource::Snapshot(id)) => (fleet.snapshots.get(id).map(|s| s.taken_at), id.to_string()),
            None => (None, "unknown".to_owned()),
        };
        (cost, taken_at, name)
    });
    let age = taken_at.map(|at| words::age(at, now));
    Ok(RestoreReply {
        operation_id: done.operation_id(),
        summary: done.summary,
        approval: done.approval,
        account_id,
        source: name,
        rpo_seconds: age,
        comes_back: vec![match age {
            Some(age) => format!("conversations and memory as of {} ago", words::seconds(age)),
            None => "conversations and memory of the newest copy".to_owned(),
        }],
        does_not_come_back: vec![match taken_at {
            Some(at) => format!("what was said after {}", words::moment(at)),
            None => "what was said after that copy".to_owned(),
        }],
        monthly_cost_cents: cost.0,
        monthly_cost: per_month(cost),
    })
}
