//! Draining: OpenClaw's own suspension, renewed until it is resumed or stopped.

use super::{Drain, Instance, InstanceState};
use crate::host::Outcome;
use gf_node_proto::DrainReport;
use openclaw_client::methods::{Suspension, Terminals};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// OpenClaw reopens by itself two minutes after the last request.
const RENEWAL: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Instance {
    /// Closes it to new work and waits until none is left, or the time is over.
    pub async fn drain(self: &Arc<Self>, wait: Duration) -> Outcome<DrainReport> {
        let _turn = self.turn.lock().await;
        self.drain_in_turn(wait).await
    }

    pub(super) async fn drain_in_turn(&self, wait: Duration) -> Outcome<DrainReport> {
        let client = self.client().await?;
        let request = format!("clawops-{}", self.id);
        let begun = Instant::now();
        let mut last = client.suspend_prepare(&request, Terminals::Terminate).await?;
        self.set_state(InstanceState::Draining);
        if let Some(suspension) = last.suspension_id.clone() {
            let renewing = client.clone();
            let renewal = tokio::spawn(async move {
                loop {
                    sleep(RENEWAL).await;
                    if let Err(why) = renewing.suspend_prepare(&request, Terminals::Terminate).await {
                        tracing::warn!(%why, "a drain could not be renewed");
                    }
                }
            });
            let drain = Drain { suspension, renewal: renewal.abort_handle() };
            self.live.lock().drain = Some(drain);
        }
        while !last.is_ready() && begun.elapsed() < wait {
            sleep(LOOK_AGAIN).await;
            let Some(suspension) = last.suspension_id.clone() else { break };
            let now = client.suspend_status(&suspension).await?;
            last = Suspension { suspension_id: Some(suspension), ..now };
        }
        Ok(report(&last))
    }

    /// Opens it again.
    pub async fn resume(&self) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        let drain = self.live.lock().drain.take();
        if let Some(drain) = drain {
            self.client().await?.suspend_resume(&drain.suspension).await?;
        }
        if self.state() == InstanceState::Draining {
            self.set_state(InstanceState::Active);
        }
        Ok(())
    }
}

fn report(suspension: &Suspension) -> DrainReport {
    let blockers = suspension.blockers.iter().filter_map(|blocker| blocker["kind"].as_str());
    DrainReport {
        ready: suspension.is_ready(),
        active: u32::try_from(suspension.active_count).unwrap_or(u32::MAX),
        blockers: blockers.map(str::to_owned).collect(),
    }
}
