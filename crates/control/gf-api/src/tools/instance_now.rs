//! The newest that can be known of an instance: what its node says when it is asked now, what it said in its last
//! heartbeat, or what was written down when it last changed. Whichever it is, how old it is goes with it.

use crate::Api;
use gf_model::{
    Timestamp,
    health::{Health, Observation},
    instance::Instance,
};
use gf_node_hub::{CommandError, CommandMeta, Hub};
use gf_node_proto as wire;
use std::time::Duration;

/// A node that is there answers within milliseconds; a person waits no longer than this for one that is not.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen of an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// `None` where nothing was ever measured.
    pub health: Option<Health>,
    pub resources: wire::Resources,
    pub memory_bytes: u64,
    pub openclaw_version: Option<String>,
    /// When its node was last heard.
    pub heartbeat: Option<Timestamp>,
    /// Measured for this very question.
    pub live: bool,
    /// Why it was not, although that was asked for.
    pub why_not: Option<String>,
}

/// Without asking anybody: the node's last heartbeat where it is newer than what was written down.
pub fn last_seen(hub: &Hub, instance: &Instance) -> Seen {
    let mut seen = Seen { health: instance.health.clone(), ..Seen::default() };
    let Some(node) = instance.node.as_ref().and_then(|id| hub.node(id)) else { return seen };
    seen.heartbeat = node.last_heartbeat;
    seen.resources = node.resources.unwrap_or_default();
    let summary = node.instances.iter().find(|summary| summary.instance_id == instance.id.as_str());
    let (Some(summary), Some(at)) = (summary, node.last_heartbeat) else { return seen };
    if seen.health.as_ref().is_none_or(|kept| kept.at < at) {
        take(&mut seen, summary, at);
    }
    seen
}

/// Asks the node now. When it cannot answer, the newest that is known is what is left, and why.
pub async fn ask(api: &Api, instance: &Instance, trace: &str) -> Seen {
    let hub = &api.requests.engine().hands().hub;
    let mut seen = last_seen(hub, instance);
    let Some(node) = &instance.node else {
        seen.why_not = Some("it has no node yet".to_owned());
        return seen;
    };
    let question = wire::OpenclawHealth { instance_id: instance.id.to_string() };
    let meta = CommandMeta::new(format!("health:{}:{trace}", instance.id), PATIENCE);
    match hub.command(node, question, meta).await {
        Ok(wire::Reply { body: Some(wire::reply::Body::Health(report)) }) => {
            let now = api.clock.now();
            seen.live = true;
            seen.heartbeat = Some(now);
            match &report.instance {
                Some(summary) if summary.observation.is_some() => take(&mut seen, summary, now),
                // In a state that is not scored only the answer itself is known.
                _ => {
                    let observed =
                        Observation { http_ok: report.http_status == 200, ..Observation::default() };
                    seen.health = Some(Health::of(observed, now));
                }
            }
        }
        Ok(_) => seen.why_not = Some(format!("{node} answered something else")),
        Err(CommandError::Failed(failure)) => {
            seen.why_not = Some(format!("{node} could not look: {}", failure.message));
        }
        Err(error) => seen.why_not = Some(error.to_string()),
    }
    seen
}

fn take(seen: &mut Seen, summary: &wire::InstanceSummary, at: Timestamp) {
    if let Some(observed) = &summary.observation {
        seen.health = Some(Health::of(measured(observed), at));
    }
    seen.memory_bytes = summary.memory_bytes;
    seen.openclaw_version = Some(summary.openclaw_version.clone()).filter(|version| !version.is_empty());
}

fn measured(told: &wire::Observation) -> Observation {
    Observation {
        http_ok: told.http_ok,
        unexpected_drain: told.unexpected_drain,
        channel_down: told.channel_down,
        disk_percent: told.disk_percent,
        memory_percent: told.memory_percent,
        cpu_percent_5m: told.cpu_percent_5m,
        event_loop_slow: told.event_loop_slow,
        unit_down: false,
        tailnet_down: false,
    }
}
