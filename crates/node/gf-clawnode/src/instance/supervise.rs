//! The life of an instance: started, watched, started again, or given up and reported.

use super::{
    Instance, InstanceState, Obstacle, Wanted,
    boots::{self, BootPlace, PLACE_HELD_AT_MOST},
    ends::{End, died_unseen},
    exits::{self, Ended},
    health, launch, logs, preflight,
    process::{Exit, Process},
};
use gf_model::Timestamp;
use gf_node_proto::{FailureReason, HealthChanged, InstanceReady, InstanceStarted};
use rustix::process::Signal;
use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::sleep};

/// Between probes while it boots, and later.
const BOOTING: Duration = Duration::from_millis(150);
const SERVING: Duration = Duration::from_secs(5);
/// The least that a boot is waited for; three times the last one where that is longer.
const BOOT_PATIENCE: Duration = Duration::from_secs(90);
/// A first boot installs things and has no measure yet.
const FIRST_BOOT_PATIENCE: Duration = Duration::from_secs(300);
/// From asking it to end until it is made to.
const GRACE: Duration = Duration::from_secs(15);
/// A port may be held for a moment by what is just ending.
const PORT_PATIENCE: Duration = Duration::from_secs(3);

type Ending<'a> = Pin<&'a mut (dyn Future<Output = Exit> + Send)>;

impl Instance {
    pub(super) async fn supervise(self: Arc<Self>) {
        let mut wanted = self.wanted.subscribe();
        let mut life = self.find_again();
        loop {
            let now = *wanted.borrow_and_update();
            if !now.run {
                self.end_found(life.take(), now.at_once).await;
                self.set_state(InstanceState::Stopped);
                if now.gone || wanted.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let (end, process) = match life.take() {
                Some(Found::Running(process)) => {
                    (self.watch(&process, None, &mut wanted).await, Some(process))
                }
                Some(Found::Dead { pid }) => (died_unseen(pid), None),
                None => {
                    let Some(place) = self.place_to_boot(&mut wanted).await else { continue };
                    match self.start().await {
                        Ok(process) => (self.watch(&process, Some(place), &mut wanted).await, Some(process)),
                        Err(obstacle) => (End::NeverStarted(obstacle), None),
                    }
                }
            };
            let pause = self.settle(end);
            if let Some(process) = process {
                // Its end may have been told early, while it still held its port and its memory.
                process.ended().await;
            }
            if let Some(pause) = pause {
                tokio::select! {
                    () = sleep(pause) => {}
                    // Whatever changed is looked at in the next round.
                    _ = wanted.changed() => {}
                }
            } else if wanted.borrow().run && wanted.changed().await.is_err() {
                return;
            }
        }
    }

    /// The process of an earlier gf-clawnode, if there was one.
    fn find_again(&self) -> Option<Found> {
        let id = self.spec.lock().process.clone()?;
        match Process::adopt(&id) {
            Ok(Some(process)) => {
                let process = Arc::new(process);
                self.live.lock().process = Some(Arc::clone(&process));
                self.report(InstanceStarted { pid: id.pid, adopted: true });
                self.park_again(id.pid);
                Some(Found::Running(process))
            }
            Ok(None) | Err(_) => Some(Found::Dead { pid: id.pid }),
        }
    }

    /// What was found of an earlier life, though it should not run.
    async fn end_found(&self, found: Option<Found>, at_once: bool) {
        match found {
            None => return,
            Some(Found::Dead { .. }) => self.clear_away().await,
            Some(Found::Running(process)) => {
                let ending = process.ended();
                tokio::pin!(ending);
                let mut ending: Ending<'_> = ending;
                self.end(&process, &mut ending, at_once).await;
            }
        }
        self.settle(End::Asked);
    }

    /// Waits until this machine has room for one more boot; `None` where something else is wanted meanwhile.
    async fn place_to_boot(&self, wanted: &mut watch::Receiver<Wanted>) -> Option<BootPlace> {
        self.set_state(InstanceState::Bootstrapping);
        let urgency = {
            let spec = self.spec.lock();
            boots::urgency(spec.standby, spec.generation, self.live.lock().last_life)
        };
        let waits = || {
            tracing::info!(instance = self.id, ?urgency, "waiting for a place to boot");
            self.live.lock().waits_to_boot = true;
            self.local.changed();
        };
        let place = tokio::select! {
            place = self.local.boots.enter(urgency, waits) => Some(place),
            _ = wanted.changed() => None,
        };
        if std::mem::take(&mut self.live.lock().waits_to_boot) {
            self.local.changed();
        }
        place
    }

    async fn start(&self) -> Result<Arc<Process>, Obstacle> {
        // Whatever it was parked under ended with it; a frozen group would hold its successor too.
        if let Err(why) = self.thaw() {
            tracing::warn!(instance = self.id, %why, "it could not be written down that it is awake");
        }
        self.clear_away().await;
        self.close_before_start().map_err(|why| {
            Obstacle::new(FailureReason::InvalidConfig, format!("its channels could not be closed: {why}"))
        })?;
        let (port, version, generation) = {
            let spec = self.spec.lock();
            (spec.port, spec.openclaw_version.clone(), spec.generation)
        };
        let begun = Instant::now();
        loop {
            match preflight::check(&self.local.runtime, &self.layout, port, &version) {
                Err(obstacle)
                    if obstacle.reason == FailureReason::PortTaken && begun.elapsed() < PORT_PATIENCE =>
                {
                    sleep(BOOTING).await;
                }
                checked => break checked?,
            }
        }
        let process = Arc::new(launch::launch(&self.local.runtime, &self.layout)?);
        let pid = process.id().pid;
        if let Err(why) = self.cgroup().add(pid) {
            tracing::warn!(instance = self.id, %why, "it runs outside of a control group");
        }
        let remembered = self.remember(|spec| spec.process = Some(process.id().clone()));
        if let Err(why) = remembered {
            // Unremembered it could not be adopted later, and would run twice.
            process.signal_group(Signal::KILL);
            return Err(Obstacle::new(
                FailureReason::DiskFull,
                format!("its process cannot be written down: {why}"),
            ));
        }
        let mut live = self.live.lock();
        live.process = Some(Arc::clone(&process));
        live.failure = None;
        live.last_life = generation;
        live.watch = health::Watch::default();
        drop(live);
        self.report(InstanceStarted { pid, adopted: false });
        Ok(process)
    }

    /// From a start, which holds a place, or from an adoption, which needs none, to an end.
    async fn watch(
        &self,
        process: &Process,
        mut place: Option<BootPlace>,
        wanted: &mut watch::Receiver<Wanted>,
    ) -> End {
        let adopted = place.is_none();
        let begun = Instant::now();
        let addr = self.addr();
        let ending = process.ended();
        let notice = self.local.exit_notices.of(process.id().pid);
        tokio::pin!(ending, notice);
        let mut ending: Ending<'_> = ending;
        // One that stands still cannot be asked, and was ready when it was parked.
        let mut ready = self.is_parked();
        let channels = self.follow_channels();
        tokio::pin!(channels);
        let (patience, place_held) = (sleep(self.boot_patience()), sleep(PLACE_HELD_AT_MOST));
        tokio::pin!(patience, place_held);
        loop {
            let pause = if ready { SERVING } else { BOOTING };
            let probing = async {
                sleep(pause).await;
                if self.is_parked() { None } else { Some(health::probe(addr).await) }
            };
            tokio::select! {
                biased;
                exit = &mut ending => return self.died(process, exit, begun.elapsed(), ready),
                Ok(exit) = &mut notice => return self.died(process, exit, begun.elapsed(), ready),
                changed = wanted.changed() => {
                    let now = *wanted.borrow_and_update();
                    if changed.is_err() || !now.run {
                        self.end(process, &mut ending, now.at_once).await;
                        return End::Asked;
                    }
                }
                probe = probing => {
                    let Some(probe) = probe else { continue };
                    if !ready && (probe.ready || (adopted && probe.live)) {
                        ready = true;
                        place = None;
                        self.became_ready(&probe, (!adopted).then(|| begun.elapsed()));
                    }
                    if ready {
                        self.saw(&probe);
                    }
                }
                () = &mut place_held, if place.is_some() => place = None,
                never = &mut channels, if ready => match never {},
                () = &mut patience, if !ready => {
                    process.signal_group(Signal::KILL);
                    let exit = ending.await;
                    let detail = format!("it did not answer within {} s", self.boot_patience().as_secs());
                    let ended = Ended { reason: FailureReason::BootTimeout, detail, issues: Vec::new() };
                    return End::Died { pid: process.id().pid, ended, exit };
                }
            }
        }
    }

    fn boot_patience(&self) -> Duration {
        match self.spec.lock().last_boot_ms {
            0 => FIRST_BOOT_PATIENCE,
            last => BOOT_PATIENCE.max(3 * Duration::from_millis(last.into())),
        }
    }

    fn became_ready(&self, probe: &health::Probe, boot: Option<Duration>) {
        let version = probe.version.clone().unwrap_or_default();
        self.live.lock().version.clone_from(&version);
        self.set_state(InstanceState::Active);
        if let Some(boot) = boot {
            let boot_ms = u32::try_from(boot.as_millis()).unwrap_or(u32::MAX);
            if let Err(why) = self.remember(|spec| spec.last_boot_ms = boot_ms) {
                tracing::warn!(instance = self.id, %why, "its boot time could not be written down");
            }
            let channels_open = self.spec.lock().channels_open;
            self.report(InstanceReady { boot_ms, openclaw_version: version, channels_open });
        }
    }

    fn saw(&self, probe: &health::Probe) {
        let mut live = self.live.lock();
        if live.standing_still || live.parked.is_some() {
            return;
        }
        let probe =
            health::Probe { channel_down: probe.channel_down || live.channels.are_down(), ..probe.clone() };
        let drain_wanted = live.drain.is_some();
        let turn = live.watch.saw(&probe, drain_wanted, self.local.pressure(), Timestamp::now());
        let Some(turn) = turn else { return };
        let (failing_checks, observation) = (live.watch.failing_checks(), live.watch.observation());
        drop(live);
        if matches!(self.state(), InstanceState::Active | InstanceState::Degraded) {
            self.set_state(if turn.degraded { InstanceState::Degraded } else { InstanceState::Active });
        }
        self.report(HealthChanged {
            score: turn.score.into(),
            previous_score: turn.previous_score.into(),
            failing_checks,
            observation,
        });
    }

    /// Ends it on request: asked first, then made to, with all that it started.
    async fn end(&self, process: &Process, ending: &mut Ending<'_>, at_once: bool) {
        process.signal(if at_once { Signal::KILL } else { Signal::TERM });
        if tokio::time::timeout(GRACE, ending.as_mut()).await.is_err() {
            process.signal_group(Signal::KILL);
            self.clear_away().await;
            ending.await;
        }
        self.clear_away().await;
    }

    /// Kills what is left of an earlier life: children that outlived the gateway hold its port and its locks.
    async fn clear_away(&self) {
        let leader = self.spec.lock().process.as_ref().map(|id| id.pid);
        // The group's number may belong to somebody else by now, unless its leader was ours until just now.
        let leader = leader.filter(|pid| {
            !crate::instance::process::identify(*pid)
                .is_some_and(|now| self.spec.lock().process.as_ref() != Some(&now))
        });
        let group = self.cgroup();
        let cleared = tokio::task::spawn_blocking(move || group.kill(leader)).await;
        if let Ok(Err(why)) = cleared {
            tracing::warn!(instance = self.id, %why, "something of an earlier life is left");
        }
    }

    fn died(&self, process: &Process, exit: Exit, lived: Duration, was_ready: bool) -> End {
        let last_lines = logs::of_last_life(self.last_output(12));
        let ended = exits::classify(exit, lived, was_ready, &last_lines);
        End::Died { pid: process.id().pid, ended, exit }
    }
}

enum Found {
    Running(Arc<Process>),
    Dead { pid: u32 },
}
