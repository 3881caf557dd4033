//! What was measured of an instance, and the score that follows from it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below this an instance is healed.
pub const HEAL_BELOW: u8 = 50;
/// Above this it counts as recovered.
pub const RECOVERED_ABOVE: u8 = 70;
/// Silence of a node after which its instances are healed.
pub const HEARTBEAT_LIMIT_SECONDS: i64 = 180;
/// More automatic restarts than this within [`RESTART_WINDOW_SECONDS`] escalate instead of looping.
pub const RESTART_LIMIT: usize = 3;
pub const RESTART_WINDOW_SECONDS: i64 = 600;

/// Raw observations of one instance; `None` means "not measured here", which costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// Whether a real HTTP request was answered with 200.
    pub http_ok: bool,
    pub unexpected_drain: bool,
    pub channel_down: bool,
    pub disk_percent: Option<f32>,
    pub memory_percent: Option<f32>,
    /// CPU use of the last five minutes.
    pub cpu_percent_5m: Option<f32>,
    pub event_loop_slow: bool,
    pub unit_down: bool,
    pub tailnet_down: bool,
}

/// A deduction from 100, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deduction {
    pub points: u8,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// 0–100.
    pub score: u8,
    pub deductions: Vec<Deduction>,
    pub observed: Observation,
    pub at: Timestamp,
}

impl Health {
    pub fn of(observed: Observation, at: Timestamp) -> Self {
        let over = |value: Option<f32>, limit: f32| value.is_some_and(|percent| percent > limit);
        let rules = [
            (!observed.http_ok, 60, "OpenClaw does not answer an HTTP request"),
            (observed.unexpected_drain, 20, "the gateway is draining and nobody asked it to"),
            (observed.channel_down, 15, "a configured channel is down"),
            (over(observed.disk_percent, 85.0), 10, "the disk is more than 85 % full"),
            (over(observed.memory_percent, 90.0), 10, "memory is more than 90 % used"),
            (over(observed.cpu_percent_5m, 90.0), 10, "the CPU was more than 90 % busy for five minutes"),
            (observed.event_loop_slow, 10, "the event loop is slow"),
            (observed.unit_down, 20, "its unit or container is down"),
            (observed.tailnet_down, 15, "the tailnet is down"),
        ];
        let deductions: Vec<_> = rules
            .into_iter()
            .filter(|(applies, ..)| *applies)
            .map(|(_, points, reason)| Deduction { points, reason: reason.to_owned() })
            .collect();
        let lost = deductions.iter().fold(0u8, |sum, d| sum.saturating_add(d.points));
        Self { score: 100u8.saturating_sub(lost), deductions, observed, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(observed: Observation) -> u8 {
        Health::of(observed, Timestamp::UNIX_EPOCH).score
    }

    #[test]
    fn a_dead_openclaw_on_a_healthy_machine_is_healed() {
        assert!(score(Observation::default()) < HEAL_BELOW);
    }

    #[test]
    fn limits_are_exclusive() {
        let fine = Observation {
            http_ok: true,
            disk_percent: Some(85.0),
            memory_percent: Some(90.0),
            cpu_percent_5m: Some(90.0),
            ..Observation::default()
        };
        assert_eq!(score(fine.clone()), 100);
        assert_eq!(score(Observation { disk_percent: Some(85.1), ..fine }), 90);
    }

    #[test]
    fn everything_wrong_is_zero_and_not_less() {
        let worst = Observation {
            http_ok: false,
            unexpected_drain: true,
            channel_down: true,
            disk_percent: Some(99.0),
            memory_percent: Some(99.0),
            cpu_percent_5m: Some(99.0),
            event_loop_slow: true,
            unit_down: true,
            tailnet_down: true,
        };
        assert_eq!(score(worst), 0);
    }
}
