//! What there is: the fleet, its pairs and its instances.

use crate::api::Api;
use crate::output::{self, Paint, paint, state};
use crate::problem::{Problem, Result};
use gf_tools::common::Counts;
use gf_tools::fleet::GatewayLine;
use gf_tools::{FleetStatusParams, FleetStatusReply, InstanceLine};
use serde_json::{Value, json};

const NO_PAIRS: &str = "There are no pairs yet; `clawops provision --count 1 --tier standard` makes one.";

async fn ask(api: &Api, params: FleetStatusParams) -> Result<(Value, FleetStatusReply)> {
    let reply = api.tool("gf_fleet_status", json!(params)).await?;
    let typed = serde_json::from_value(reply.clone())
        .map_err(|e| Problem::Unexpected { path: "gf_fleet_status".into(), problem: e.to_string() })?;
    Ok((reply, typed))
}

async fn in_full(api: &Api) -> Result<FleetStatusReply> {
    Ok(ask(api, FleetStatusParams { detail: Some("full".into()), ..Default::default() }).await?.1)
}

pub async fn status(
    api: &Api,
    provider: Option<String>,
    region: Option<String>,
    as_json: bool,
) -> Result<()> {
    let (reply, fleet) = ask(api, FleetStatusParams { provider, region, ..Default::default() }).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    output::page(&status_text(&fleet));
    Ok(())
}

/// The fleet in numbers, however it was asked for.
pub fn status_text(fleet: &FleetStatusReply) -> String {
    let mut text = format!("{}\n", paint(&fleet.summary, Paint::Bold));
    text.push_str(&format!("\npairs      {}{}", fleet.pairs_total, counts(&fleet.pairs_by_condition)));
    text.push_str(&format!("\ninstances  {}{}", fleet.instances_total, counts(&fleet.instances_by_state)));
    text.push_str(&format!("\ncost       {}", fleet.monthly_cost));
    text.push_str(&format!("\nas of      {}", output::time(&fleet.as_of)));
    if !fleet.by_provider.is_empty() {
        let rows = fleet.by_provider.iter().map(|line| {
            let counts = [line.instances, line.primaries, line.standbys, line.active];
            std::iter::once(line.provider.clone()).chain(counts.map(|n| n.to_string())).collect()
        });
        let head = ["PROVIDER", "INSTANCES", "PRIMARIES", "STANDBYS", "ACTIVE"];
        text.push_str(&format!("\n\n{}", output::table(&head, rows.collect())));
    }
    if !fleet.alerts.is_empty() {
        let rows = fleet.alerts.iter().map(|alert| {
            let silenced = if alert.silenced { " (silenced)" } else { "" };
            vec![state(&alert.severity), alert.subject.clone(), format!("{}{silenced}", alert.text)]
        });
        text.push_str(&format!("\n\n{}", output::table(&["ALERT", "ABOUT", "WHAT"], rows.collect())));
    }
    if !fleet.operations.is_empty() {
        let rows = fleet.operations.iter().map(|work| {
            let done = format!("{} of {}", work.done, work.total);
            vec![work.id.clone(), work.verb.clone(), state(&work.state), done]
        });
        text.push_str(&format!("\n\n{}", output::table(&["WORK", "VERB", "STATE", "DONE"], rows.collect())));
    }
    text
}

fn counts(counts: &Counts) -> String {
    let counts: Vec<_> = counts.iter().map(|(name, n)| format!("{n} {}", state(name))).collect();
    if counts.is_empty() { String::new() } else { format!("  ({})", counts.join(", ")) }
}

pub async fn pairs(api: &Api, as_json: bool) -> Result<()> {
    let gateways = in_full(api).await?.gateways;
    if as_json {
        output::json(&json!(gateways));
        return Ok(());
    }
    output::page(&pairs_text(gateways));
    Ok(())
}

/// All pairs, those with trouble first.
pub fn pairs_text(mut gateways: Vec<GatewayLine>) -> String {
    gateways.sort_by_key(|gateway| (trouble_last(gateway), gateway.account_id.clone()));
    let rows = gateways.iter().map(|gateway| {
        vec![
            gateway.account_id.clone(),
            gateway.tier.clone(),
            state(&gateway.condition),
            half(gateway.primary.as_ref()),
            half(gateway.standby.as_ref()),
            gateway.monthly_cost.clone(),
        ]
    });
    let head = ["ACCOUNT", "TIER", "CONDITION", "PRIMARY", "STANDBY", "COST"];
    output::list(&head, rows.collect(), NO_PAIRS)
}

fn trouble_last(gateway: &GatewayLine) -> u8 {
    match gateway.condition.as_str() {
        "down" => 0,
        "unprotected" => 1,
        "protected" => 3,
        _ => 2,
    }
}

fn half(instance: Option<&InstanceLine>) -> String {
    let Some(instance) = instance else { return "–".into() };
    let uncertain = if instance.uncertain { " uncertain" } else { "" };
    format!("{} {} @ {}{uncertain}", instance.instance_id, condition(instance), instance.provider)
}

/// Its state, and what it waits for.
fn condition(instance: &InstanceLine) -> String {
    let waits = if instance.waits_to_boot { " (waits for a place to boot)" } else { "" };
    format!("{}{waits}", state(&instance.state))
}

pub async fn instances(api: &Api, as_json: bool) -> Result<()> {
    let mut gateways = in_full(api).await?.gateways;
    gateways.sort_by_key(|gateway| gateway.account_id.clone());
    let all = gateways.iter().flat_map(|gateway| [&gateway.primary, &gateway.standby]).flatten();
    if as_json {
        output::json(&json!(all.collect::<Vec<_>>()));
        return Ok(());
    }
    let head = ["INSTANCE", "ACCOUNT", "ROLE", "STATE", "SCORE", "PLACE", "ENDPOINT"];
    output::page(&output::list(&head, all.map(row).collect(), NO_PAIRS));
    Ok(())
}

fn row(instance: &InstanceLine) -> Vec<String> {
    vec![
        instance.instance_id.clone(),
        instance.account_id.clone(),
        instance.role.clone(),
        condition(instance),
        instance.score.map_or("–".into(), |score| score.to_string()),
        format!("{}/{}", instance.provider, instance.region),
        instance.endpoint.clone().unwrap_or("–".into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_waits_for_a_place_to_boot_is_told_from_one_that_boots() {
        let line = |waits_to_boot| InstanceLine {
            instance_id: "i-7f3a".into(),
            state: "BOOTSTRAPPING".into(),
            provider: "local-a".into(),
            waits_to_boot,
            ..InstanceLine::default()
        };
        assert_eq!(row(&line(true))[3], "BOOTSTRAPPING (waits for a place to boot)");
        assert_eq!(row(&line(false))[3], "BOOTSTRAPPING");
        let pair = half(Some(&line(true)));
        assert_eq!(pair, "i-7f3a BOOTSTRAPPING (waits for a place to boot) @ local-a");
    }
}
