//! `gf_provision`: new pairs, each at two providers.

use super::{Call, act::Done};
use crate::{
    Problem,
    problem::parse_id,
    view::{progress, status::tier_named, words::per_month},
};
use gf_model::{
    AccountId, Cents,
    fleet::Fleet,
    instance::Role,
    operation::Step,
    provider::{ProviderId, Region},
    verb::Verb,
    words::on_one_line,
};
use gf_planner::{cost, expand, next_accounts};
use gf_tools::{
    ProvisionParams, ProvisionReply,
    provision::{PairPlan, Place},
};
use std::collections::BTreeMap;

const PURPOSE: usize = 120;

pub(super) async fn provision(call: &Call, params: ProvisionParams) -> Result<ProvisionReply, Problem> {
    let verb = call.api.store.read(|fleet| verb(fleet, &params))?;
    let tier = params.tier.clone();
    let done = call.request(verb, false).await?;
    Ok(call.api.store.read(|fleet| reply(fleet, done, tier, call.api.clock.now())))
}

pub(super) fn verb(fleet: &Fleet, params: &ProvisionParams) -> Result<Verb, Problem> {
    let tier = tier_named(&params.tier)?;
    let accounts = match (params.count, &params.account_ids) {
        (Some(_), Some(ids)) if !ids.is_empty() => {
            return Err(Problem::bad_request("too_many_fields", "count and accountIds were both given")
                .at("count", params.count.unwrap_or_default())
                .fix("give one of them"));
        }
        (_, Some(ids)) if !ids.is_empty() => {
            ids.iter().map(|id| parse_id("accountIds", id)).collect::<Result<Vec<AccountId>, _>>()?
        }
        (Some(count), _) => next_accounts(fleet, expand::count(count)?),
        (None, _) => {
            return Err(Problem::bad_request("missing_field", "how many pairs?")
                .at("count", "")
                .fix("give a count"));
        }
    };
    let provider = |given: &Option<String>| -> Result<Option<ProviderId>, Problem> {
        Ok(given.as_deref().map(|name| expand::provider(fleet, name)).transpose()?)
    };
    Ok(Verb::Provision {
        accounts,
        tier,
        regions: params.regions.iter().flatten().map(|name| Region::from(name.trim())).collect(),
        primary_provider: provider(&params.primary_provider)?,
        standby_provider: provider(&params.standby_provider)?,
        purpose: purpose(params.purpose.as_deref())?,
    })
}

/// It stands in the question that a person agrees to: a few words, and not a second question.
fn purpose(given: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let said = on_one_line(given);
    if said.chars().count() > PURPOSE {
        let why = format!("a purpose has at most {PURPOSE} characters");
        return Err(Problem::bad_request("bad_purpose", why)
            .at("purpose", said)
            .fix("say in a few words what they are for"));
    }
    Ok(Some(said).filter(|said| !said.is_empty()))
}

fn reply(fleet: &Fleet, done: Done, tier: String, now: gf_model::Timestamp) -> ProvisionReply {
    let mut pairs: BTreeMap<&AccountId, PairPlan> = BTreeMap::new();
    let mut total = Cents(0);
    for step in &done.steps {
        let Step::CreateInstance { instance, account, role, tier, provider, region, .. } = step else {
            continue;
        };
        let price = cost::price(fleet, provider, *tier);
        let pair = pairs
            .entry(account)
            .or_insert_with(|| PairPlan { account_id: account.to_string(), ..PairPlan::default() });
        let place = Place {
            provider: provider.to_string(),
            region: region.to_string(),
            instance_id: done.operation.is_some().then(|| instance.to_string()),
        };
        match role {
            Role::Primary => pair.primary = place,
            Role::Standby => pair.standby = place,
        }
        pair.monthly_cost_cents += price.0;
        total = total + price;
    }
    ProvisionReply {
        operation_id: done.operation_id(),
        pairs: pairs.len() as u64,
        plan: pairs.into_values().collect(),
        tier,
        monthly_cost_cents: total.0,
        monthly_cost: per_month(total),
        progress: done
            .operation
            .as_ref()
            .map(|operation| progress::reply(fleet, operation, now).instances_by_state),
        summary: done.summary,
        approval: done.approval,
    }
}
