//! `gf_instance_health`: one instance's score, what it is made of, and what would be done about it.

use super::Call;
use crate::{
    Problem,
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

pub(super) fn health(call: &Call, params: InstanceHealthParams) -> Result<InstanceHealthReply, Problem> {
    let id: InstanceId = parse_id("instanceId", &params.instance_id)?;
    let now = call.api.clock.now();
    call.api.store.read(|fleet| {
        let instance = fleet.instances.get(&id).filter(|instance| instance.state.exists());
        instance.map(|instance| reply(fleet, instance, now)).ok_or_else(|| {
            Problem::not_found("instance", &id)
                .fix("ask gf_fleet_status with detail=full for the ids that exist")
        })
    })
}

pub fn reply(fleet: &Fleet, instance: &Instance, now: Timestamp) -> InstanceHealthReply {
    let since = now.as_second() - RESTART_WINDOW_SECONDS;
    let recent = instance.restarts.iter().filter(|at| at.as_second() >= since).count();
    let mut reply = InstanceHealthReply {
        summary: String::new(),
        score: line::score(instance),
        checks: instance.health.as_ref().map(checks).unwrap_or_default(),
        resources: instance.health.as_ref().and_then(resources),
        last_heartbeat: instance.health.as_ref().map(|health| health.at.to_string()),
        recent_restarts: recent as u64,
        last_boot_seconds: instance.last_boot_ms.map(|ms| ms as f64 / 1000.0),
        recommended_action: recommend(fleet, instance, recent).to_owned(),
        live: false,
        instance: line::instance(instance),
    };
    reply.summary = summary(&reply, instance, now);
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

fn resources(health: &Health) -> Option<Resources> {
    let seen = &health.observed;
    let known = seen.cpu_percent_5m.or(seen.memory_percent).or(seen.disk_percent).is_some();
    known.then(|| Resources {
        cpu_percent: seen.cpu_percent_5m.map(f64::from),
        memory_percent: seen.memory_percent.map(f64::from),
        disk_percent: seen.disk_percent.map(f64::from),
        ..Resources::default()
    })
}

/// What the heal tree would come to.
fn recommend(fleet: &Fleet, instance: &Instance, recent_restarts: usize) -> &'static str {
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
        _ => match line::score(instance) {
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

fn summary(reply: &InstanceHealthReply, instance: &Instance, now: Timestamp) -> String {
    let what = format!("{} ({} of {})", instance.id, reply.instance.role, instance.account);
    let score = match reply.score {
        Some(score) => format!(", score {score} of 100"),
        None => ", and no score: it is not measured in this state".to_owned(),
    };
    let lost: Vec<&str> =
        instance.health.iter().flat_map(|h| &h.deductions).map(|d| d.reason.as_str()).collect();
    let why = if lost.is_empty() || reply.score.is_none() {
        String::new()
    } else {
        format!(": {}", lost.join("; "))
    };
    let seen = match &instance.health {
        Some(health) => format!(" Measured {} ago.", words::seconds(words::age(health.at, now))),
        None => " It has not been measured yet.".to_owned(),
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
    format!("{what} is {}{score}{why}.{seen}{restarts}{flagged}{action}", instance.state)
}
