//! Starting, stopping and removing, as commands: they say what is wanted and wait for the state to follow.

use super::{Instance, InstanceState, Wanted};
use crate::{
    files,
    host::{Failure, Outcome},
};
use gf_model::Tier;
use gf_node_proto::{FailureCode, HealthReport, InstanceDeleted};
use openclaw_client::probe;
use std::time::{Duration, Instant};

/// What a drain before a stop may take.
const DRAIN_BEFORE_STOP: Duration = Duration::from_secs(60);
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

impl Instance {
    /// Refuses what comes from a generation that is over; remembers a newer one.
    pub fn accept_generation(&self, claimed: u64) -> Outcome<()> {
        let seen = self.generation();
        if claimed == 0 || claimed == seen {
            return Ok(());
        }
        if claimed < seen {
            let message =
                format!("{} is at generation {seen}; a command of generation {claimed} is too old", self.id);
            let mut failure = Failure::new(FailureCode::StaleGeneration, message);
            failure.0.field = "generation".into();
            failure.0.value = claimed.to_string();
            failure.0.fix = format!("read the pair again and use generation {seen} or higher");
            return Err(failure);
        }
        Ok(self.remember(|spec| spec.generation = claimed)?)
    }

    pub async fn start_wanted(&self, wait_ready: bool) -> Outcome<()> {
        let turn = self.turn.lock().await;
        self.want_running()?;
        drop(turn);
        if wait_ready { self.ready().await } else { Ok(()) }
    }

    pub async fn stop(&self, drain: bool) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        self.come_to_rest(drain, false).await
    }

    pub async fn restart(&self, drain: bool, wait_ready: bool) -> Outcome<()> {
        let turn = self.turn.lock().await;
        self.come_to_rest(drain, false).await?;
        self.want_running()?;
        drop(turn);
        if wait_ready { self.ready().await } else { Ok(()) }
    }

    /// The tier that it is sold as; a process on a shared machine has no limits of its own to change.
    pub fn resize(&self, tier: Tier) -> Outcome<()> {
        Ok(self.remember(|spec| spec.tier = tier.name().to_owned())?)
    }

    /// Removes everything: its processes, its group, its directory.
    pub async fn delete(&self) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        self.set_state(InstanceState::TearingDown);
        self.come_to_rest(false, true).await?;
        self.wanted.send_modify(|wanted| wanted.gone = true);
        self.cgroup().remove()?;
        files::remove_tree(self.layout.root())?;
        self.report(InstanceDeleted {});
        Ok(())
    }

    pub(super) fn want_running(&self) -> Outcome<()> {
        self.remember(|spec| spec.wanted = true)?;
        let mut live = self.live.lock();
        live.restarts.forgive();
        live.failure = None;
        let runs = live.process.is_some();
        drop(live);
        if !runs {
            self.set_state(InstanceState::Bootstrapping);
        }
        self.wanted.send_modify(|wanted| {
            *wanted = Wanted { run: true, at_once: false, round: wanted.round + 1, ..*wanted }
        });
        Ok(())
    }

    /// Returns when nothing of it runs any more.
    pub(super) async fn come_to_rest(&self, drain: bool, at_once: bool) -> Outcome<()> {
        if drain && self.state() == InstanceState::Active {
            // A stop that was asked for happens, drained or not; the report says which.
            if let Err(why) = self.drain_in_turn(DRAIN_BEFORE_STOP).await {
                tracing::warn!(instance = self.id, %why, "stopping without a drain");
            }
        }
        // What stands still can neither end nor be ended in order.
        self.thaw()?;
        self.remember(|spec| spec.wanted = false)?;
        let mut state = self.state.subscribe();
        self.wanted.send_modify(|wanted| *wanted = Wanted { run: false, at_once, ..*wanted });
        let stopped = state.wait_for(|state| *state == InstanceState::Stopped).await;
        stopped.map(drop).map_err(|_| Failure::new(FailureCode::Io, "its supervisor is gone"))
    }

    /// Waits until it serves, or was given up.
    pub(super) async fn ready(&self) -> Outcome<()> {
        let mut state = self.state.subscribe();
        let settled =
            state.wait_for(|state| matches!(state, InstanceState::Active | InstanceState::Failed)).await;
        let settled = *settled.map_err(|_| Failure::new(FailureCode::Io, "its supervisor is gone"))?;
        match settled {
            InstanceState::Failed => {
                let failure = self.live.lock().failure.clone();
                Err(failure.map_or_else(
                    || Failure::new(FailureCode::InstanceFailed, format!("{} failed", self.id)),
                    Failure::from,
                ))
            }
            _ => Ok(()),
        }
    }

    /// A real HTTP request, now.
    pub async fn health_now(&self) -> HealthReport {
        let begun = Instant::now();
        let answered = probe::http_health(self.addr(), PROBE_PATIENCE).await;
        let latency_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        let (http_status, body) = match answered {
            Ok(health) if health.readiness.ready => (200, "ready".to_owned()),
            Ok(health) => (503, health.readiness.failing.join(", ")),
            Err(why) => (0, why.to_string()),
        };
        HealthReport { instance: Some(self.summary()), http_status, latency_ms, body }
    }
}
