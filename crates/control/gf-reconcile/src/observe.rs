//! What a node's report means for the fleet: a pure translation into changes.
//!
//! Being told the same twice changes nothing the second time. Nothing is decided here but states.

use gf_model::{
    InstanceId, NodeId, NoticeId, Timestamp,
    fleet::{Change, Fleet},
    health::{HEAL_BELOW, Health, Observation, RECOVERED_ABOVE, RESTART_WINDOW_SECONDS},
    instance::{Instance, InstanceState, Role},
    notice::{Notice, Recipient, Severity},
};
use gf_node_hub::NodeEvent;
use gf_node_proto as wire;
use serde_json::json;

/// The changes that follow from a report. `bits` name the notice that it may cause.
pub fn observe(fleet: &Fleet, event: &NodeEvent, now: Timestamp, bits: u64) -> Vec<Change> {
    match event {
        NodeEvent::Connected { node, software, at, .. } => {
            node_changed(fleet, node, true, Some(software), *at)
        }
        NodeEvent::Lost { node, at, .. } => node_changed(fleet, node, false, None, *at),
        NodeEvent::Reported { event, .. } => reported(fleet, event, now, bits),
        NodeEvent::Changed { changed, .. } => {
            changed.iter().filter_map(|summary| summarised(fleet, summary, now)).map(Change::from).collect()
        }
    }
}

fn node_changed(
    fleet: &Fleet,
    id: &NodeId,
    connected: bool,
    software: Option<&str>,
    at: Timestamp,
) -> Vec<Change> {
    let Some(node) = fleet.nodes.get(id) else { return Vec::new() };
    let mut node = node.clone();
    node.connected = connected;
    node.last_change = at;
    if let Some(software) = software {
        node.software = Some(software.to_owned());
    }
    vec![node.into()]
}

fn known<'a>(fleet: &'a Fleet, id: &str) -> Option<&'a Instance> {
    let instance = fleet.instances.get(&id.parse::<InstanceId>().ok()?)?;
    // What is being torn down reports its own end; that is nobody's news.
    let ends = matches!(instance.state, InstanceState::TearingDown | InstanceState::Deleted);
    // What was fenced stays fenced, whatever its node says late: it waits to be replaced.
    let newest = fleet.gateways.get(&instance.account).map(|gateway| gateway.generation);
    let fenced =
        instance.state == InstanceState::Stopped && newest.is_some_and(|newest| instance.generation < newest);
    (!ends && !fenced).then_some(instance)
}

fn reported(fleet: &Fleet, event: &wire::Event, now: Timestamp, bits: u64) -> Vec<Change> {
    use wire::event::Kind;
    let Some(before) = known(fleet, &event.instance_id) else { return Vec::new() };
    let Some(kind) = &event.kind else { return Vec::new() };
    let mut instance = before.clone();
    let mut changes = Vec::new();
    match kind {
        Kind::Started(_) => {
            instance.waits_to_boot = false;
            if matches!(before.state, InstanceState::Creating | InstanceState::Stopped) {
                enter(&mut instance, InstanceState::Bootstrapping, now);
            }
        }
        Kind::Ready(ready) => {
            instance.last_boot_ms = Some(ready.boot_ms.into());
            became_active(&mut instance, now);
            // One that was stopped for certain and started again: stopped it had none open, and they were never closed.
            instance.channels_on |= ready.channels_open;
            if before.state == InstanceState::Degraded {
                changes.push(healed(before, event, now, bits).into());
            }
        }
        Kind::Exited(_) => {
            if is_expected_to_run(before.state) {
                enter(&mut instance, InstanceState::Degraded, now);
                remember_restart(&mut instance, event_time(event, now));
            }
        }
        Kind::Failed(failed) => {
            enter(&mut instance, InstanceState::Failed, now);
            let details = std::iter::once(&failed.detail).chain(&failed.issues);
            instance.flagged = Some(details.map(String::as_str).collect::<Vec<_>>().join("; "));
        }
        Kind::Health(health) => {
            if let Some(observation) = &health.observation {
                judge(&mut instance, measured(observation), now);
            }
        }
        Kind::Stopped(_) => {
            // Stops that are part of a restart or of taking in memory are followed by a start.
            if !matches!(before.state, InstanceState::StandbyPromoting | InstanceState::Bootstrapping) {
                enter(&mut instance, InstanceState::Stopped, now);
            }
        }
        Kind::Channels(channels) => instance.channels_on = channels.open,
        Kind::Snapshot(_) | Kind::Deleted(_) => return Vec::new(),
    }
    if instance != *before {
        changes.push(instance.into());
    }
    changes
}

/// A heartbeat's difference: what the node sees of an instance now.
fn summarised(fleet: &Fleet, summary: &wire::InstanceSummary, now: Timestamp) -> Option<Instance> {
    let before = known(fleet, &summary.instance_id)?;
    let mut instance = before.clone();
    if summary.last_boot_ms > 0 {
        instance.last_boot_ms = Some(summary.last_boot_ms.into());
    }
    if instance.endpoint.is_none() && summary.port > 0 {
        instance.endpoint = Some(format!("http://127.0.0.1:{}", summary.port));
    }
    instance.waits_to_boot = summary.waits_to_boot;
    instance.lease_terms = summary.lease_terms;
    let seen = wire::InstanceState::try_from(summary.state).unwrap_or_default();
    if seen == wire::InstanceState::Bootstrapping && before.state == InstanceState::Active {
        // A machine that came back starts what it should run: that is a start and not a sickness. A process that
        // ended by itself was reported as such before.
        enter(&mut instance, InstanceState::Bootstrapping, now);
    } else if let Some(observation) = &summary.observation {
        judge(&mut instance, measured(observation), now);
    }
    match seen {
        wire::InstanceState::Active => {
            let asleep = [InstanceState::Creating, InstanceState::Bootstrapping, InstanceState::Stopped];
            if asleep.contains(&before.state) {
                became_active(&mut instance, now);
            }
        }
        wire::InstanceState::Failed => {
            enter(&mut instance, InstanceState::Failed, now);
            if !summary.failure_detail.is_empty() {
                instance.flagged = Some(summary.failure_detail.clone());
            }
        }
        wire::InstanceState::Degraded if before.state == InstanceState::Active => {
            enter(&mut instance, InstanceState::Degraded, now);
        }
        _ => {}
    }
    (news(&instance) != news(before)).then_some(instance)
}

/// What is worth a row. A measurement alone is not: heartbeats are never rows.
fn news(instance: &Instance) -> impl PartialEq + use<> {
    let score = instance.health.as_ref().map(|health| (health.score, health.deductions.len()));
    let flagged = instance.flagged.clone();
    let terms = instance.lease_terms;
    (
        instance.state,
        instance.waits_to_boot,
        score,
        instance.endpoint.clone(),
        instance.last_boot_ms,
        flagged,
        terms,
    )
}

fn is_expected_to_run(state: InstanceState) -> bool {
    matches!(
        state,
        InstanceState::Active
            | InstanceState::Degraded
            | InstanceState::StandbyPromoting
            | InstanceState::Bootstrapping
    )
}

fn became_active(instance: &mut Instance, now: Timestamp) {
    if matches!(instance.state, InstanceState::Draining | InstanceState::Parked) {
        return;
    }
    enter(instance, InstanceState::Active, now);
    instance.active_at = Some(now);
    instance.flagged = None;
    instance.health = Some(Health::of(Observation { http_ok: true, ..Observation::default() }, now));
}

/// A score and the state that follows from it, with the gap between "heal" and "recovered" kept.
fn judge(instance: &mut Instance, observed: Observation, now: Timestamp) {
    let health = Health::of(observed, now);
    if instance.state.is_scored() {
        if health.score < HEAL_BELOW && instance.state == InstanceState::Active {
            enter(instance, InstanceState::Degraded, now);
        } else if health.score > RECOVERED_ABOVE && instance.state == InstanceState::Degraded {
            enter(instance, InstanceState::Active, now);
        }
    }
    instance.health = Some(health);
}

fn measured(wire: &wire::Observation) -> Observation {
    Observation {
        http_ok: wire.http_ok,
        unexpected_drain: wire.unexpected_drain,
        channel_down: wire.channel_down,
        disk_percent: wire.disk_percent,
        memory_percent: wire.memory_percent,
        cpu_percent_5m: wire.cpu_percent_5m,
        event_loop_slow: wire.event_loop_slow,
        unit_down: false,
        tailnet_down: false,
    }
}

fn remember_restart(instance: &mut Instance, at: Timestamp) {
    instance.restarts.retain(|earlier| at.duration_since(*earlier).as_secs() < RESTART_WINDOW_SECONDS);
    if !instance.restarts.contains(&at) {
        instance.restarts.push(at);
    }
}

fn event_time(event: &wire::Event, now: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(event.at_ms).unwrap_or(now)
}

fn enter(instance: &mut Instance, state: InstanceState, now: Timestamp) {
    if instance.state != state {
        instance.state = state;
        instance.state_since = now;
    }
}

/// Told once for each time that an instance came back.
fn healed(before: &Instance, event: &wire::Event, now: Timestamp, bits: u64) -> Notice {
    let role = match before.role {
        Role::Primary => "PRIMARY",
        Role::Standby => "STANDBY",
    };
    Notice {
        id: NoticeId::from_bits(bits, 8),
        key: format!("healed:{}:{}", before.id, event.seq),
        recipient: Recipient::Operators,
        severity: Severity::Info,
        text: format!(
            "HEALED: {} ({role} of {}) had ended, was restarted and answers HTTP 200 again.",
            before.id, before.account
        ),
        look_at: Some(format!("gf_instance_health {}", json!({ "instanceId": before.id }))),
        created_at: now,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    }
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
