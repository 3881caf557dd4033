//! `gf_failover`: one account moves to its standby, or everybody who can leaves a place.

use super::{Call, act::reason};
use crate::{
    Problem,
    view::{
        status::{provider_named, region_named},
        words,
    },
};
use axum::http::StatusCode;
use gf_model::{
    AccountId, Timestamp,
    fleet::Fleet,
    verb::{Outage, Verb},
};
use gf_planner::expand;
use gf_tools::{FailoverParams, FailoverReply};

pub(super) fn verb(fleet: &Fleet, params: &FailoverParams, now: Timestamp) -> Result<Verb, Problem> {
    let why = reason(&params.reason)?;
    match (&params.account_id, &params.provider, &params.region) {
        (Some(account), None, None) => {
            Ok(Verb::Failover { account: expand::account(fleet, account)?, reason: why, outage: None })
        }
        (None, None, None) => Err(Problem::bad_request("missing_field", "who shall fail over?")
            .at("accountId", "")
            .fix("give an account, or a provider and region that everybody leaves")),
        (None, provider, region) => {
            let outage = outage(fleet, provider.as_deref(), region.as_deref(), now)?;
            let first = outage.accounts.first().cloned().ok_or_else(|| nobody(&outage))?;
            Ok(Verb::Failover { account: first, reason: why, outage: Some(outage) })
        }
        (Some(account), ..) => {
            Err(Problem::bad_request("too_many_fields", "an account and a place were both given")
                .at("accountId", account)
                .fix("give one of them"))
        }
    }
}

fn nobody(outage: &Outage) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "nothing_to_do",
        format!("no primary at {} has an ACTIVE standby elsewhere", outage.place()),
    )
    .fix("look at the fleet's exposure there")
}

/// Who leaves, once the provider itself was asked: what looks dark from here may be our own eyes.
fn outage(
    fleet: &Fleet,
    provider: Option<&str>,
    region: Option<&str>,
    now: Timestamp,
) -> Result<Outage, Problem> {
    let region = region.map(|given| region_named(fleet, given)).transpose()?;
    let provider = match (provider, &region) {
        (Some(given), _) => provider_named(fleet, given)?,
        (None, Some(region)) => {
            let has = |provider: &&gf_model::provider::Provider| {
                provider.regions.iter().any(|offer| offer.region == *region)
            };
            let mut with = fleet.providers.values().filter(has);
            match (with.next(), with.next()) {
                (Some(only), None) => only.id.clone(),
                _ => {
                    return Err(Problem::bad_request(
                        "missing_field",
                        format!("more than one provider has a region {region}"),
                    )
                    .at("provider", "")
                    .fix("name the provider too"));
                }
            }
        }
        (None, None) => return Err(Problem::bad_request("missing_field", "which place?").at("provider", "")),
    };
    let asked = fleet.providers.get(&provider).and_then(|provider| provider.status_asked_at);
    gf_policy::may_declare_widespread(asked, now).map_err(|refused| {
        Problem::new(StatusCode::CONFLICT, "provider_not_asked", refused.message)
            .at("provider", &provider.0)
            .fix(format!("ask for the health of {provider} first, then fail over"))
    })?;
    let mut outage = Outage { provider, region, accounts: Vec::new() };
    outage.accounts = leaving(fleet, &outage);
    Ok(outage)
}

fn leaving(fleet: &Fleet, outage: &Outage) -> Vec<AccountId> {
    let there = |instance: &&gf_model::instance::Instance| {
        instance.provider == outage.provider
            && outage.region.as_ref().is_none_or(|region| instance.region == *region)
    };
    let leaves = |account: &&AccountId| {
        fleet.primary_of(account).filter(there).is_some()
            && fleet.standby_of(account).is_some_and(|standby| standby.is_active() && !there(&standby))
    };
    fleet.gateways.keys().filter(leaves).cloned().collect()
}

pub(super) async fn failover(call: &Call, params: FailoverParams) -> Result<FailoverReply, Problem> {
    let now = call.api.clock.now();
    let verb = call.api.store.read(|fleet| verb(fleet, &params, now))?;
    let Verb::Failover { account, outage, .. } = verb.clone() else {
        return Err(Problem::internal("a failover became another verb"));
    };
    if let Some(outage) = outage {
        let done = call.request(verb, false).await?;
        let waves = done.batches.len() as u64;
        return Ok(FailoverReply {
            operation_id: done.operation_id(),
            summary: done.summary,
            approval: done.approval,
            accounts: outage.accounts.len() as u64,
            waves: (waves > 0).then_some(waves),
            ..FailoverReply::default()
        });
    }
    let (generation, old, new, rpo) = call.api.store.read(|fleet| {
        let gateway = fleet.gateways.get(&account);
        let snapshot = fleet.newest_snapshot(&account).map(|s| words::age(s.taken_at, now));
        (
            gateway.map(|gateway| gateway.generation.next().0).unwrap_or_default(),
            gateway.and_then(|gateway| gateway.primary.as_ref().map(ToString::to_string)),
            gateway.and_then(|gateway| gateway.standby.as_ref().map(ToString::to_string)),
            snapshot,
        )
    });
    let done = call.request(verb, false).await?;
    Ok(FailoverReply {
        operation_id: done.operation_id(),
        summary: done.summary,
        approval: done.approval,
        account_id: account.to_string(),
        accounts: 1,
        waves: None,
        generation,
        old_primary: old,
        new_primary: new,
        rpo_seconds: rpo,
    })
}
