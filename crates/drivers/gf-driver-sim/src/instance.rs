//! One simulated OpenClaw: what it is, and how it looks from outside. Small, since there are thousands.

use crate::{document::Document, leases::SimLease};
use gf_model::{
    Tier, Timestamp,
    health::{Health, Observation},
};
use gf_node_proto as proto;
use gf_node_proto::{FailureReason, InstanceRole, InstanceState, InstanceSummary};
use serde::{Deserialize, Serialize};

pub(crate) const OPENCLAW: &str = "2026.9.6";
const MIB: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    Stopped,
    Booting,
    Serving,
    Draining,
    /// Stands still until something needs it.
    Parked,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimInstance {
    pub id: Box<str>,
    pub account: Box<str>,
    pub primary: bool,
    pub tier: Tier,
    pub phase: Phase,
    pub generation: u64,
    pub port: u32,
    pub channels_open: bool,
    pub document: Document,
    pub memory: u64,
    /// The last snapshot, and what was remembered when it was taken.
    pub last_snapshot: Option<(Box<str>, u64)>,
    /// How often it was started; also tells apart an old start from a new one.
    pub boots: u32,
    pub last_boot_ms: u32,
    /// When it died lately.
    pub deaths_ms: Vec<i64>,
    /// Why it cannot start: `FailureReason` as a number, 0 while it can.
    pub broken: i32,
    /// It runs and does not answer.
    pub sick: bool,
    /// Boxed: most are standbys of nobody's and hold none.
    #[serde(default)]
    pub lease: Option<Box<SimLease>>,
}

impl SimInstance {
    pub(crate) fn pid(&self) -> u32 {
        match self.phase {
            Phase::Stopped | Phase::Failed => 0,
            _ => 1000 + self.boots,
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.pid() != 0
    }

    pub(crate) fn is_sick(&self) -> bool {
        self.sick || self.document.wedges()
    }

    pub(crate) fn role(&self) -> InstanceRole {
        if self.primary { InstanceRole::Primary } else { InstanceRole::Standby }
    }

    pub(crate) fn state(&self) -> InstanceState {
        match self.phase {
            Phase::Stopped => InstanceState::Stopped,
            Phase::Booting => InstanceState::Bootstrapping,
            Phase::Serving if self.is_sick() => InstanceState::Degraded,
            Phase::Serving => InstanceState::Active,
            Phase::Draining => InstanceState::Draining,
            Phase::Parked => InstanceState::Parked,
            Phase::Failed => InstanceState::Failed,
        }
    }

    /// `load` is this instance's own, drawn once, so that over-sized ones stay over-sized.
    fn observation(&self, load: u64) -> Observation {
        Observation {
            http_ok: matches!(self.phase, Phase::Serving | Phase::Draining) && !self.is_sick(),
            disk_percent: Some(20.0 + (load % 31) as f32),
            memory_percent: Some(12.0 + (load % 53) as f32),
            cpu_percent_5m: Some(3.0 + (load % 47) as f32),
            ..Observation::default()
        }
    }

    pub(crate) fn health(&self, load: u64, at_ms: i64) -> Health {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Health::of(self.observation(load), at)
    }

    pub(crate) fn summary(&self, load: u64, at_ms: i64) -> InstanceSummary {
        let scored = self.phase == Phase::Serving;
        let health = scored.then(|| self.health(load, at_ms));
        let last_snapshot = self.last_snapshot.as_ref().map(|(id, _)| id.to_string());
        let memory_bytes = if self.runs() { (420 + load % 300) * MIB } else { 0 };
        let failure = match self.phase {
            Phase::Failed if self.broken == 0 => FailureReason::Crashed.into(),
            Phase::Failed => self.broken,
            _ => 0,
        };
        InstanceSummary {
            instance_id: self.id.to_string(),
            account: self.account.to_string(),
            role: self.role().into(),
            state: self.state().into(),
            generation: self.generation,
            port: self.port,
            pid: self.pid(),
            health_score: health.as_ref().map(|health| health.score.into()),
            failing_checks: health.iter().flat_map(|h| &h.deductions).map(|d| d.reason.clone()).collect(),
            restarts_in_window: self.deaths_ms.len() as u32,
            revision: self.document.revision().to_owned(),
            channels_open: self.channels_open,
            last_snapshot: last_snapshot.unwrap_or_default(),
            last_boot_ms: self.last_boot_ms,
            openclaw_version: OPENCLAW.to_owned(),
            memory_bytes,
            failure,
            failure_detail: String::new(),
            owned_hash: self.document.owned_hash(),
            drifted: self.document.drifted(),
            observation: health.map(|health| told(&health.observed)),
            // A machine for each, so that none stands before another.
            waits_to_boot: false,
            lease_terms: self.lease_terms(),
            lease_lapsed: self.lease_lapsed(),
            tier: self.tier.to_string(),
        }
    }
}

/// An observation as it is said on the link.
pub(crate) fn told(observed: &Observation) -> proto::Observation {
    proto::Observation {
        http_ok: observed.http_ok,
        unexpected_drain: observed.unexpected_drain,
        channel_down: observed.channel_down,
        disk_percent: observed.disk_percent,
        memory_percent: observed.memory_percent,
        cpu_percent_5m: observed.cpu_percent_5m,
        event_loop_slow: observed.event_loop_slow,
    }
}
