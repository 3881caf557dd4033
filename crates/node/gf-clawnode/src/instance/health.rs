//! Whether an instance is well: one probe by real HTTP requests, and what follows from a row of them.

use gf_model::{
    Timestamp,
    health::{HEAL_BELOW, Health, Observation, RECOVERED_ABOVE},
};
use gf_node_proto as proto;
use openclaw_client::probe;
use std::{net::SocketAddr, time::Duration};

/// A probe that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(4);
/// One failed probe may be a busy moment; two in a row are not.
const FAILURES_THAT_COUNT: u32 = 2;

/// What one probe found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probe {
    pub live: bool,
    pub ready: bool,
    pub draining: bool,
    pub channel_down: bool,
    pub event_loop_slow: bool,
    pub version: Option<String>,
}

pub async fn probe(addr: SocketAddr) -> Probe {
    let Ok(health) = probe::http_health(addr, PATIENCE).await else {
        return Probe::default();
    };
    let failing = |word: &str| health.readiness.failing.iter().any(|name| name.contains(word));
    Probe {
        live: health.live,
        ready: health.readiness.ready,
        draining: failing("draining") || failing("suspend"),
        channel_down: failing("channel"),
        event_loop_slow: health.readiness.event_loop.is_some_and(|event_loop| event_loop.degraded),
        version: health.version,
    }
}

/// How busy the machine is, as far as it matters to a score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    pub disk_percent: Option<f32>,
    pub memory_percent: Option<f32>,
    pub cpu_percent_5m: Option<f32>,
}

impl Pressure {
    pub fn of(resources: &proto::Resources) -> Self {
        let used = |total: u64, available: u64| {
            (total > 0).then(|| (total.saturating_sub(available)) as f32 * 100.0 / total as f32)
        };
        Self {
            disk_percent: used(resources.disk_total_bytes, resources.disk_available_bytes),
            memory_percent: used(resources.memory_total_bytes, resources.memory_available_bytes),
            cpu_percent_5m: resources.cpu_permille_5m.map(|permille| permille as f32 / 10.0),
        }
    }
}

/// The row of probes of one life of an instance.
#[derive(Debug, Default)]
pub struct Watch {
    failures: u32,
    pub health: Option<Health>,
    degraded: bool,
}

/// What a probe changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub previous_score: u8,
    pub score: u8,
    pub degraded: bool,
}

impl Watch {
    /// Takes a probe in; `Some` where the score moved.
    pub fn saw(
        &mut self,
        probe: &Probe,
        drain_wanted: bool,
        pressure: Pressure,
        at: Timestamp,
    ) -> Option<Turn> {
        self.failures = if probe.live { 0 } else { self.failures + 1 };
        if !probe.live && self.failures < FAILURES_THAT_COUNT {
            return None;
        }
        let observed = Observation {
            http_ok: probe.live,
            unexpected_drain: probe.draining && !drain_wanted,
            channel_down: probe.channel_down,
            disk_percent: pressure.disk_percent,
            memory_percent: pressure.memory_percent,
            cpu_percent_5m: pressure.cpu_percent_5m,
            event_loop_slow: probe.event_loop_slow,
            ..Observation::default()
        };
        let health = Health::of(observed, at);
        let previous_score = self.health.as_ref().map_or(100, |before| before.score);
        let score = health.score;
        self.health = Some(health);
        self.degraded = if self.degraded { score <= RECOVERED_ABOVE } else { score < HEAL_BELOW };
        (score != previous_score).then_some(Turn { previous_score, score, degraded: self.degraded })
    }

    pub fn failing_checks(&self) -> Vec<String> {
        let deductions = self.health.iter().flat_map(|health| &health.deductions);
        deductions.map(|deduction| deduction.reason.clone()).collect()
    }

    pub fn observation(&self) -> Option<proto::Observation> {
        self.health.as_ref().map(|health| {
            let seen = &health.observed;
            proto::Observation {
                http_ok: seen.http_ok,
                unexpected_drain: seen.unexpected_drain,
                channel_down: seen.channel_down,
                disk_percent: seen.disk_percent,
                memory_percent: seen.memory_percent,
                cpu_percent_5m: seen.cpu_percent_5m,
                event_loop_slow: seen.event_loop_slow,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Probe {
        Probe { live: true, ready: true, ..Probe::default() }
    }

    fn saw(watch: &mut Watch, probe: &Probe) -> Option<Turn> {
        watch.saw(probe, false, Pressure::default(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn one_missed_probe_is_a_busy_moment_and_two_are_not() {
        let mut watch = Watch::default();
        assert_eq!(saw(&mut watch, &well()), None);
        assert_eq!(saw(&mut watch, &Probe::default()), None);
        let turn = saw(&mut watch, &Probe::default()).unwrap();
        assert_eq!(turn, Turn { previous_score: 100, score: 40, degraded: true });
        assert_eq!(saw(&mut watch, &Probe::default()), None, "the same again is no news");
        assert_eq!(saw(&mut watch, &well()), Some(Turn { previous_score: 40, score: 100, degraded: false }));
    }

    #[test]
    fn a_processor_that_was_busy_for_five_minutes_counts() {
        let busy = proto::Resources { cpu_permille_5m: Some(901), ..proto::Resources::default() };
        let seen = |resources: &proto::Resources| {
            let mut watch = Watch::default();
            watch.saw(&well(), false, Pressure::of(resources), Timestamp::UNIX_EPOCH);
            watch.health.map(|health| health.score)
        };
        assert_eq!(seen(&busy), Some(90));
        let not_watched_long_enough = proto::Resources { cpu_permille: 1000, ..proto::Resources::default() };
        assert_eq!(seen(&not_watched_long_enough), Some(100));
    }

    #[test]
    fn a_drain_counts_only_where_nobody_asked_for_it() {
        let draining = Probe { draining: true, ..well() };
        assert_eq!(saw(&mut Watch::default(), &draining).unwrap().score, 80);
        let wanted = Watch::default().saw(&draining, true, Pressure::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(wanted, None);
    }
}
