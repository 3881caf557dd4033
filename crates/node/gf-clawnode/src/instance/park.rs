//! Parking: an idle instance stands still until something needs it.
//!
//! OpenClaw allows a freeze only after it was suspended with its terminals kept. Its suspension lapses by itself two
//! minutes later by a clock that runs on while it is frozen, so that waking never depends on the old suspension.

use super::{Instance, InstanceState, cgroup::Frozen};
use crate::host::{Failure, Outcome};
use gf_node_proto::FailureCode;
use openclaw_client::{
    methods::{Suspension, Terminals},
    probe,
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long it may take until no work is left; one that works is not parked.
const IDLE_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// From the thaw until it takes work again.
const AWAKE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_WHILE_WAKING: Duration = Duration::from_millis(5);
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// Standing still. Dropping it thaws.
pub(super) struct Parked {
    _frozen: Frozen,
    suspension: String,
}

impl Instance {
    pub(super) fn is_parked(&self) -> bool {
        self.live.lock().parked.is_some()
    }

    /// Suspends and freezes it; says how long that took.
    pub async fn park(&self) -> Outcome<Duration> {
        let _turn = self.turn.lock().await;
        let begun = Instant::now();
        if self.is_parked() {
            return Ok(begun.elapsed());
        }
        let state = self.state();
        if state != InstanceState::Active {
            let message =
                format!("{} is {}; only one that is ACTIVE is parked", self.id, state.as_str_name());
            return Err(Failure::new(FailureCode::NotRunning, message));
        }
        let suspension = self.suspend_idle().await?;
        if let Err(why) = self.stand_still(suspension.clone()).await {
            self.client().await?.suspend_resume(&suspension).await?;
            return Err(why);
        }
        self.remember(|spec| spec.parked = Some(suspension))?;
        self.set_state(InstanceState::Parked);
        Ok(begun.elapsed())
    }

    /// Makes sure that it takes work; says how long that took. One that was not parked is awake already.
    pub async fn wake(&self) -> Outcome<Duration> {
        let _turn = self.turn.lock().await;
        let begun = Instant::now();
        let Some(suspension) = self.thaw()? else { return Ok(begun.elapsed()) };
        let mut resumed = false;
        loop {
            let readiness = probe::readiness(self.addr(), PROBE_PATIENCE).await;
            match readiness {
                Ok(readiness) if readiness.ready => return Ok(begun.elapsed()),
                // It answers and is still suspended: the suspension outlived the freeze.
                Ok(_) if !resumed => {
                    resumed = true;
                    if let Err(why) = self.client().await?.suspend_resume(&suspension).await {
                        tracing::info!(instance = self.id, %why, "its suspension had lapsed");
                    }
                }
                _ if begun.elapsed() > AWAKE_WITHIN => {
                    let message = format!("{} was woken and takes no work after {AWAKE_WITHIN:?}", self.id);
                    return Err(Failure::new(FailureCode::TimedOut, message));
                }
                _ => sleep(LOOK_WHILE_WAKING).await,
            }
        }
    }

    /// Lets it move again at once, whatever becomes of it next; gives what it was suspended under.
    pub(super) fn thaw(&self) -> std::io::Result<Option<String>> {
        let Some(parked) = self.live.lock().parked.take() else { return Ok(None) };
        let Parked { _frozen, suspension } = parked;
        drop(_frozen);
        if self.state() == InstanceState::Parked {
            self.set_state(InstanceState::Active);
        }
        self.remember(|spec| spec.parked = None)?;
        Ok(Some(suspension))
    }

    /// An earlier gf-clawnode parked it: its end may have thawed it, so that it is frozen again.
    pub(super) fn park_again(&self, leader: u32) {
        let Some(suspension) = self.spec.lock().parked.clone() else { return };
        match self.cgroup().freeze(leader) {
            Ok(frozen) => {
                self.live.lock().parked = Some(Parked { _frozen: frozen, suspension });
                self.set_state(InstanceState::Parked);
            }
            Err(why) => tracing::warn!(instance = self.id, %why, "it was parked and is awake now"),
        }
    }

    /// Closed to new work, with none left.
    async fn suspend_idle(&self) -> Outcome<String> {
        let client = self.client().await?;
        let request = format!("clawops-park-{}", self.id);
        let begun = Instant::now();
        let mut last = client.suspend_prepare(&request, Terminals::Preserve).await?;
        let Some(suspension) = last.suspension_id.clone() else {
            return Err(Failure::new(
                FailureCode::Openclaw,
                "OpenClaw did not say under which id it is suspended",
            ));
        };
        while !last.is_ready() {
            if begun.elapsed() > IDLE_WITHIN {
                client.suspend_resume(&suspension).await?;
                return Err(Failure::new(
                    FailureCode::Conflict,
                    format!("{} has work to do ({}); park it later", self.id, blockers(&last)),
                ));
            }
            sleep(LOOK_AGAIN).await;
            last = client.suspend_status(&suspension).await?;
        }
        Ok(suspension)
    }

    async fn stand_still(&self, suspension: String) -> Outcome<()> {
        let leader = self.live.lock().process.as_ref().map(|process| process.id().pid);
        let leader = leader.ok_or_else(|| Failure::new(FailureCode::NotRunning, "its process is gone"))?;
        let group = self.cgroup();
        let freezing = tokio::task::spawn_blocking(move || group.freeze(leader));
        let frozen = freezing.await.map_err(|why| Failure::new(FailureCode::Io, why))??;
        self.live.lock().parked = Some(Parked { _frozen: frozen, suspension });
        Ok(())
    }
}

fn blockers(suspension: &Suspension) -> String {
    let kinds = suspension.blockers.iter().filter_map(|blocker| blocker["kind"].as_str());
    let named = kinds.collect::<Vec<_>>().join(", ");
    if named.is_empty() { format!("{} things", suspension.active_count) } else { named }
}
