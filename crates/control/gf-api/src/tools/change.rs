//! `gf_tier_resize`, `gf_bulk_restart`, `gf_provider_policy`, `gf_alerts_silence`: changes of what is
//! there.

use super::{
    Call,
    act::{reason, whole},
    provider, teardown,
};
use crate::{
    Problem, json,
    view::{progress, status::tier_named, words::per_month},
};
use gf_model::{
    Cents, InstanceId,
    fleet::Fleet,
    provider::Pool,
    verb::{SilenceScope, Verb},
};
use gf_planner::expand;
use gf_tools::{
    AlertsSilenceParams, AlertsSilenceReply, BulkRestartParams, BulkRestartReply, ProviderPolicyParams,
    ProviderPolicyReply, TargetLine, TierResizeParams, TierResizeReply, resize::TierChange,
};

const AT_ONCE: u32 = 20;

pub(super) fn resize_verb(fleet: &Fleet, params: &TierResizeParams) -> Result<Verb, Problem> {
    let tier = tier_named(&params.new_tier).map_err(|problem| problem.at("newTier", &params.new_tier))?;
    Ok(Verb::Resize { accounts: teardown::named(fleet, &params.account_ids)?, tier })
}

pub(super) async fn resize(call: &Call, params: TierResizeParams) -> Result<TierResizeReply, Problem> {
    let dry_run = params.dry_run.unwrap_or_default();
    let (verb, changes) = call.api.store.read(|fleet| {
        let verb = resize_verb(fleet, &params)?;
        let change = |id| {
            let gateway = fleet.gateways.get(id)?;
            let halves = [&gateway.primary, &gateway.standby].into_iter().flatten();
            let delta: Cents = halves
                .filter_map(|id| fleet.instances.get(id))
                .map(|half| {
                    gf_planner::cost::price(fleet, &half.provider, new_tier(&verb)) - half.monthly_cost
                })
                .sum();
            Some(TierChange {
                account_id: id.to_string(),
                old_tier: gateway.tier.to_string(),
                new_tier: new_tier(&verb).to_string(),
                delta_cents: delta.0,
            })
        };
        let changes: Vec<_> = verb.accounts().iter().filter_map(change).collect();
        Ok::<_, Problem>((verb, changes))
    })?;
    let delta = Cents(changes.iter().map(|change| change.delta_cents).sum());
    let boot = call.api.store.read(|fleet| longest_boot(fleet, &verb));
    let done = call.request(verb, dry_run).await?;
    Ok(TierResizeReply {
        operation_id: done.operation_id(),
        summary: done.summary,
        approval: done.approval,
        dry_run,
        changes,
        monthly_delta_cents: delta.0,
        monthly_delta: per_month(delta),
        interruption_seconds: boot,
    })
}

fn new_tier(verb: &Verb) -> gf_model::Tier {
    match verb {
        Verb::Resize { tier, .. } => *tier,
        _ => gf_model::Tier::Standard,
    }
}

/// What a restart of the slowest primary took the last time.
fn longest_boot(fleet: &Fleet, verb: &Verb) -> f64 {
    let boots = verb.accounts().iter().filter_map(|account| fleet.primary_of(account)?.last_boot_ms);
    boots.max().unwrap_or_default() as f64 / 1000.0
}

fn filter(given: &gf_tools::InstanceFilter) -> expand::Filter {
    expand::Filter {
        provider: given.provider.clone(),
        region: given.region.clone(),
        tier: given.tier.clone(),
        status: given.status.clone(),
        role: given.role.clone(),
        accounts: given.account_ids.clone(),
    }
}

/// A filter of the tools, as the planner reads it.
pub(super) fn targets(given: &gf_tools::InstanceFilter) -> Result<expand::Targets, Problem> {
    let filter = filter(given);
    if filter == expand::Filter::default() {
        return Err(Problem::bad_request("empty_filter", "the filter is empty, which would mean everything")
            .at("filter", "{}")
            .fix("give at least one field, or the ids"));
    }
    Ok(expand::Targets::Filter(filter))
}

pub(super) fn restart_verb(fleet: &Fleet, params: &BulkRestartParams) -> Result<Verb, Problem> {
    let ids = params.instance_ids.clone().unwrap_or_default();
    let targets = match (&ids[..], &params.filter) {
        ([], Some(filter)) => targets(filter)?,
        ([_, ..], None) => expand::Targets::Ids(ids),
        ([], None) => {
            return Err(Problem::bad_request("missing_field", "which instances?")
                .at("instanceIds", "")
                .fix("give instance ids or a filter"));
        }
        _ => {
            return Err(Problem::bad_request("too_many_fields", "instanceIds and filter were both given")
                .at("filter", "")
                .fix("give one of them"));
        }
    };
    Ok(Verb::Restart {
        instances: expand::instances(fleet, &targets)?,
        reason: reason(&params.reason)?,
        concurrency: whole("concurrency", params.concurrency.unwrap_or(AT_ONCE.into()), 1, 100)?,
    })
}

pub(super) async fn restart(call: &Call, params: BulkRestartParams) -> Result<BulkRestartReply, Problem> {
    let verb = call.api.store.read(|fleet| restart_verb(fleet, &params))?;
    let done = call.request(verb, false).await?;
    let planned = done.plan.as_ref().map(|plan| &plan.verb);
    let matched = match planned.or(done.operation.as_ref().map(|operation| &operation.verb)) {
        Some(Verb::Restart { instances, .. }) => instances.clone(),
        _ => Vec::new(),
    };
    let now = call.api.clock.now();
    let waiting =
        |id: &InstanceId| TargetLine { id: id.to_string(), state: "waiting".into(), ..TargetLine::default() };
    let failed = done
        .operation
        .as_ref()
        .map(|operation| call.api.store.read(|fleet| progress::reply(fleet, operation, now).failed));
    let failed = failed.unwrap_or_default();
    let running = matched.iter().filter(|id| !failed.iter().any(|line| line.id == id.as_str()));
    Ok(BulkRestartReply {
        operation_id: done.operation_id(),
        running: running.map(waiting).collect(),
        matched: matched.len() as u64,
        healed: Vec::new(),
        degraded: Vec::new(),
        failed,
        summary: done.summary,
        approval: done.approval,
    })
}

pub(super) fn policy_verb(fleet: &Fleet, params: &ProviderPolicyParams) -> Result<Verb, Problem> {
    let pool: Pool = json::from_value(serde_json::Value::String(params.pool.clone())).map_err(|_| {
        Problem::bad_request("unknown_pool", format!("{:?} is not a pool", params.pool))
            .at("pool", &params.pool)
            .fix("use primary, standby or paused")
    })?;
    Ok(Verb::ProviderPolicy {
        provider: expand::provider(fleet, &params.provider)?,
        pool,
        reason: reason(&params.reason)?,
    })
}

pub(super) async fn policy(
    call: &Call,
    params: ProviderPolicyParams,
) -> Result<ProviderPolicyReply, Problem> {
    let verb = call.api.store.read(|fleet| policy_verb(fleet, &params))?;
    let Verb::ProviderPolicy { provider: id, pool, .. } = verb.clone() else {
        return Err(Problem::internal("a provider policy became another verb"));
    };
    let (old, existing) = call.api.store.read(|fleet| {
        let old = fleet.providers.get(&id).map(|kept| provider::pool(kept.pool)).unwrap_or("unknown");
        (old, fleet.live_instances().filter(|instance| instance.provider == id).count() as u64)
    });
    let done = call.request(verb, false).await?;
    let revision = done.steps.iter().find_map(|step| match step {
        gf_model::operation::Step::SetProviderPool { revision, .. } => Some(revision.to_string()),
        _ => None,
    });
    Ok(ProviderPolicyReply {
        summary: done.summary,
        approval: done.approval,
        provider: id.to_string(),
        old: old.to_owned(),
        new: provider::pool(pool).to_owned(),
        revision,
        existing_instances: existing,
    })
}

pub(super) fn silence_verb(fleet: &Fleet, params: &AlertsSilenceParams) -> Result<Verb, Problem> {
    let given = params.scope.trim();
    let instance = given.parse::<InstanceId>().ok().filter(|id| fleet.instances.contains_key(id));
    let region = || {
        let offers = fleet.providers.values().flat_map(|provider| &provider.regions);
        offers.map(|offer| &offer.region).find(|region| region.0.eq_ignore_ascii_case(given)).cloned()
    };
    let scope = if let Some(id) = instance {
        SilenceScope::Instance(id)
    } else if let Ok(provider) = expand::provider(fleet, given) {
        SilenceScope::Provider(provider)
    } else if let Some(region) = region() {
        SilenceScope::Region(region)
    } else {
        return Err(Problem::not_found("scope", given).fix("give a provider, a region or an instance id"));
    };
    Ok(Verb::Silence {
        scope,
        minutes: whole("minutes", params.minutes, 1, 7 * 24 * 60)?,
        reason: reason(&params.reason)?,
    })
}

pub(super) async fn silence(call: &Call, params: AlertsSilenceParams) -> Result<AlertsSilenceReply, Problem> {
    let verb = call.api.store.read(|fleet| silence_verb(fleet, &params))?;
    let Verb::Silence { scope, .. } = verb.clone() else {
        return Err(Problem::internal("a silence became another verb"));
    };
    let done = call.request(verb, false).await?;
    let (until, instances) = call.api.store.read(|fleet| {
        let until =
            fleet.silences.values().find(|silence| silence.scope == scope).map(|silence| silence.until);
        let hit = fleet.live_instances().filter(|instance| match &scope {
            SilenceScope::Provider(id) => instance.provider == *id,
            SilenceScope::Region(region) => instance.region == *region,
            SilenceScope::Instance(id) => instance.id == *id,
        });
        (until, hit.count() as u64)
    });
    let waiting = done.approval.is_some();
    Ok(AlertsSilenceReply {
        summary: match until.filter(|_| !waiting) {
            Some(until) => format!(
                "Alerts of {} ({}) are quiet until {}; what leaves a user without service still pages.",
                params.scope,
                crate::view::words::instances(instances),
                crate::view::words::moment(until)
            ),
            None => done.summary,
        },
        approval: done.approval,
        scope: params.scope,
        minutes: params.minutes,
        until: until.filter(|_| !waiting).map(|until| until.to_string()),
        instances,
        still_pages: vec!["a pair without a live primary and without an ACTIVE standby".to_owned()],
    })
}
