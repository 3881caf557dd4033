//! `gf_instance_health`: one instance's score, what it is made of, and what would be done about it.

use super::{
    Call,
    instance_now::{self, Seen},
};
use crate::{
    Api, Problem,
    problem::parse_id,
    view::{line, words},
};
use gf_model::{
    InstanceId, Timestamp,
    fleet::Fleet,
    health::{HEAL_BELOW, Health, RESTART_LIMIT, RESTART_WINDOW_SECONDS},
    instance::{Instance, InstanceState, Role},
};
use gf_tools::{
    InstanceHealthParams, InstanceHealthReply,
    instance::{Check, Resources},
};

pub(super) async fn health(
    call: &Call,
    params: InstanceHealthParams,
) -> Result<InstanceHealthReply, Problem> {
    let id: InstanceId = parse_id("instanceId", &params.instance_id)?;
    look(&call.api, &id, params.live.unwrap_or_default(), &call.who.trace).await.map(|(_, reply)| reply)
}

/// An instance that exists, and what is known of it; `live` asks its node now.
pub async fn look(
    api: &Api,
    id: &InstanceId,
    live: bool,
    trace: &str,
) -> Result<(Instance, InstanceHealthReply), Problem> {
    let find = || {
        let found = api.store.read(|fleet| fleet.instances.get(id).filter(|i| i.state.exists()).cloned());
        found.ok_or_else(|| Problem::not_found("instance", id))
    };
    let instance = find()?;
    let seen = match live {
        true => instance_now::ask(api, &instance, trace).await,
        false => instance_now::last_seen(&api.requests.engine().hands().hub, &instance),
    };
    // While its node was asked it may have changed.
    let instance = if live { find()? } else { instance };
    let now = api.clock.now();
    let reply = api.store.read(|fleet| reply(fleet, &instance, &seen, now));
    Ok((instance, reply))
}

pub fn reply(fleet: &Fleet, instance: &Instance, seen: &Seen, now: Timestamp) -> InstanceHealthReply {
    let since = now.as_second() - RESTART_WINDOW_SECONDS;
    let recent = instance.restarts.iter().filter(|at| at.as_second() >= since).count();
    let score = seen.health.as_ref().filter(|_| instance.state.is_scored()).map(|health| health.score.into());
    let mut reply = InstanceHealthReply {
        summary: String::new(),
        score,
        checks: seen.health.as_ref().map(checks).unwrap_or_default(),
        resources: resources(seen),
        last_heartbeat: seen.heartbeat.map(|at| at.to_string()),
        measured_at: seen.health.as_ref().map(|health| health.at.to_string()),
        age_seconds: seen.health.as_ref().map(|health| words::age(health.at, now)),
        recent_restarts: recent as u64,
        last_boot_seconds: instance.last_boot_ms.map(|ms| ms as f64 / 1000.0),
        recommended_action: recommend(fleet, instance, score, recent).to_owned(),
        live: seen.live,
        not_live_because: seen.why_not.clone(),
        instance: gf_tools::InstanceLine {
            score,
            openclaw_version: seen.openclaw_version.clone(),
            last_heartbeat: seen.heartbeat.map(|at| at.to_string()),
            ..line::instance(instance)
        },
    };
    reply.summary = summary(&reply, instance, seen, now);
    reply
}

fn checks(health: &Health) -> Vec<Check> {
    let seen = &health.observed;
    let percent = |value: Option<f32>| value.map(|percent| format!("{percent:.1} %"));
    let over = |value: Option<f32>, limit: f32| value.is_some_and(|percent| percent > limit);
    let check = |name: &str, bad: bool, penalty: u32, detail: Option<String>| Check {
        name: name.to_owned(),
        ok: !bad,
        penalty: if bad { penalty } else { 0 },
        detail,
    };
    let mut checks = vec![
        check("http", !seen.http_ok, 60, None),
        check("draining", seen.unexpected_drain, 20, None),
        check("channel", seen.channel_down, 15, None),
        check("event_loop", seen.event_loop_slow, 10, None),
        check("unit", seen.unit_down, 20, None),
        check("tailnet", seen.tailnet_down, 15, None),
    ];
    // What was not measured here is not listed as fine.
    for (name, value, limit) in [
        ("disk", seen.disk_percent, 85.0),
        ("memory", seen.memory_percent, 90.0),
        ("cpu", seen.cpu_percent_5m, 90.0),
    ] {
        checks.extend(value.map(|_| check(name, over(value, limit), 10, percent(value))));
    }
    checks
}

fn resources(seen: &Seen) -> Option<Resources> {
    let observed = seen.health.as_ref().map(|health| health.observed.clone()).unwrap_or_default();
    let resources = Resources {
        cpu_percent: observed.cpu_percent_5m.map(f64::from),
        memory_bytes: Some(seen.memory_bytes).filter(|bytes| *bytes > 0),
        memory_percent: observed.memory_percent.map(f64::from),
        disk_percent: observed.disk_percent.map(f64::from),
        uptime_seconds: Some(seen.resources.uptime_s).filter(|seconds| *seconds > 0),
    };
    (resources != Resources::default()).then_some(resources)
}

/// What the heal tree would come to.
fn recommend(fleet: &Fleet, instance: &Instance, score: Option<u32>, recent_restarts: usize) -> &'static str {
    let standby_active = || fleet.standby_of(&instance.account).is_some_and(Instance::is_active);
    match instance.state {
        InstanceState::Creating | InstanceState::Bootstrapping | InstanceState::StandbyPromoting => "wait",
        InstanceState::Failed if instance.role == Role::Primary => {
            if standby_active() {
                "failover"
            } else {
                "page"
            }
        }
        InstanceState::Failed => "page",
        state if !state.is_scored() => "none",
        _ => match score {
            Some(score) if score < u32::from(HEAL_BELOW) => {
                if recent_restarts <= RESTART_LIMIT {
                    "restart"
                } else {
                    "page"
                }
            }
            Some(_) => "none",
            None => "wait",
        },
    }
}

fn summary(reply: &InstanceHealthReply, instance: &Instance, seen: &Seen, now: Timestamp) -> String {
    let what = format!("{} ({} of {})", instance.id, reply.instance.role, instance.account);
    let score = match reply.score {
        Some(score) => format!(", score {score} of 100"),
        None => ", and no score: it is not measured in this state".to_owned(),
    };
    let lost: Vec<&str> = seen.health.iter().flat_map(|h| &h.deductions).map(|d| d.reason.as_str()).collect();
    let why = if lost.is_empty() || reply.score.is_none() {
        String::new()
    } else {
        format!(": {}", lost.join("; "))
    };
    let measured = match (&seen.health, &seen.why_not) {
        (Some(_), None) if seen.live => " Its node was asked now.".to_owned(),
        (health, why) => {
            let age = match health {
                Some(health) => format!(" Measured {} ago.", words::seconds(words::age(health.at, now))),
                None => " It has not been measured yet.".to_owned(),
            };
            why.as_ref().map(|why| format!(" It could not be asked now: {why}.")).unwrap_or_default() + &age
        }
    };
    let restarts = match reply.recent_restarts {
        0 => String::new(),
        n => format!(" {} in the last ten minutes.", words::count(n, "restart", "restarts")),
    };
    let action = match reply.recommended_action.as_str() {
        "none" => String::new(),
        action => format!(" Recommended: {action}."),
    };
    let flagged = instance.flagged.as_ref().map(|flag| format!(" Flagged: {flag}.")).unwrap_or_default();
    let queue = if instance.is_waiting_to_boot() { " and waits for a place to boot" } else { "" };
    format!("{what} is {}{queue}{score}{why}.{measured}{restarts}{flagged}{action}", instance.state)
}
