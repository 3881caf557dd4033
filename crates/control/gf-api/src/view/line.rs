//! One instance, one pair, one operation in one line.

use super::{condition::Pair, words};
use gf_model::{Cents, Timestamp, instance::Instance};
use gf_tools::{common::InstanceLine, fleet::GatewayLine};

pub fn instance(instance: &Instance) -> InstanceLine {
    InstanceLine {
        instance_id: instance.id.to_string(),
        account_id: instance.account.to_string(),
        role: role(instance).to_owned(),
        state: instance.state.name().to_owned(),
        uncertain: instance.uncertain,
        waits_to_boot: instance.is_waiting_to_boot(),
        provider: instance.provider.to_string(),
        region: instance.region.to_string(),
        node: instance.node.as_ref().map(ToString::to_string).unwrap_or_default(),
        score: score(instance),
        endpoint: instance.endpoint.clone(),
        openclaw_version: None,
        last_heartbeat: None,
    }
}

pub fn role(instance: &Instance) -> &'static str {
    match instance.role {
        gf_model::instance::Role::Primary => "PRIMARY",
        gf_model::instance::Role::Standby => "STANDBY",
    }
}

/// Only where a low score would mean anything.
pub fn score(instance: &Instance) -> Option<u32> {
    instance.health.as_ref().filter(|_| instance.state.is_scored()).map(|health| u32::from(health.score))
}

/// What a pair costs each month: what its instances cost.
pub fn cost(pair: &Pair<'_>) -> Cents {
    pair.instances().map(|instance| instance.monthly_cost).sum()
}

pub fn gateway(pair: &Pair<'_>, ordinal: u64, now: Timestamp) -> GatewayLine {
    let cost = cost(pair);
    let idle = pair.gateway.last_activity.map(|at| (words::age(at, now) / 86_400.0) as u64);
    GatewayLine {
        account_id: pair.gateway.account.to_string(),
        ordinal,
        tier: pair.gateway.tier.to_string(),
        condition: pair.condition.name().to_owned(),
        primary: pair.primary.map(instance),
        standby: pair.standby.map(instance),
        purpose: pair.gateway.purpose.clone(),
        monthly_cost_cents: cost.0,
        monthly_cost: words::per_month(cost),
        created_at: Some(pair.gateway.created_at.to_string()),
        idle_days: idle,
    }
}
