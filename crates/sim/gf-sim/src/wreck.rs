//! Does faults to a world, and mends them.

use crate::{oracle::Oracle, plane::World, story::Fault};
use gf_driver_sim::SeenMachine;
use gf_model::{
    InstanceId, NodeId,
    provider::{ProviderId, Region},
};
use gf_node_proto::FailureReason;
use std::{sync::atomic::Ordering, time::Duration};

/// How a fault is over.
#[derive(Debug, Clone)]
pub enum Mend {
    DiskFull,
    DiskSlow,
    Clock,
    Hang(InstanceId),
    BreakStart(InstanceId),
    Cut(NodeId),
    Mute(NodeId),
    Outage(ProviderId, Region),
    Slow(ProviderId),
    Lag,
    Deaf,
    Unlink(NodeId),
    Blind(NodeId),
    Stall(NodeId),
}

pub struct Wreck {
    rng: fastrand::Rng,
    /// Machines that are never heard of again.
    lost: Vec<NodeId>,
}

const PROVIDERS: [&str; 5] = ["hetzner", "vultr", "digitalocean", "contabo", "hostinger"];

impl Wreck {
    pub fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), lost: Vec::new() }
    }

    fn some_machine(&mut self, world: &World) -> Option<SeenMachine> {
        let machines: Vec<_> = world.sim.seen().into_iter().filter(|it| it.label.is_some()).collect();
        let nth = self.rng.usize(..machines.len().max(1));
        machines.into_iter().nth(nth)
    }

    fn some_provider(&mut self, world: &World) -> ProviderId {
        // Rather one that is used.
        match self.some_machine(world) {
            Some(machine) => machine.provider,
            None => PROVIDERS[self.rng.usize(..PROVIDERS.len())].into(),
        }
    }

    /// Does the fault; tells when it is over and how. Faults of the control plane itself are not done here.
    pub fn befall(&mut self, world: &World, oracle: &Oracle, fault: &Fault) -> Option<(Duration, Mend)> {
        let lasting = |seconds: u64, mend: Mend| Some((Duration::from_secs(seconds), mend));
        match *fault {
            Fault::Crash { .. } => None,
            Fault::CrashAtCommit { nth, kept, .. } => {
                world.disk.trouble(|disk| disk.cut = Some((nth, kept)));
                None
            }
            Fault::DiskFull { seconds } => {
                world.disk.trouble(|disk| disk.full = true);
                lasting(seconds, Mend::DiskFull)
            }
            Fault::DiskLies { commits } => {
                world.disk.trouble(|disk| disk.lies = commits);
                None
            }
            Fault::DiskSlow { millis, seconds } => {
                world.disk.trouble(|disk| disk.slowest_ms = millis);
                lasting(seconds, Mend::DiskSlow)
            }
            Fault::ClockWrong { by_ms, seconds } => {
                world.clock.be_wrong_by(by_ms);
                lasting(seconds, Mend::Clock)
            }
            Fault::Slow { times, seconds } => {
                let provider = self.some_provider(world);
                world.sim.slow(&provider, Some(times));
                lasting(seconds, Mend::Slow(provider))
            }
            Fault::Limit { seconds } => {
                let provider = self.some_provider(world);
                world.clouds.limit(&provider, Duration::from_secs(seconds));
                None
            }
            Fault::Lag { high_ms, seconds } => {
                world.sim.lag(Some((high_ms / 10, high_ms)));
                lasting(seconds, Mend::Lag)
            }
            Fault::Deaf { seconds } => {
                world.listeners.deaf.store(true, Ordering::Relaxed);
                lasting(seconds, Mend::Deaf)
            }
            _ => self.befall_a_machine(world, oracle, fault),
        }
    }

    fn befall_a_machine(
        &mut self,
        world: &World,
        oracle: &Oracle,
        fault: &Fault,
    ) -> Option<(Duration, Mend)> {
        let machine = self.some_machine(world)?;
        let label = machine.label?;
        world.trace.note(format_args!("it befalls {label} at {}", machine.node));
        // Who is cut off from one side only serves on by the other.
        if !matches!(fault, Fault::Unlink { .. } | Fault::Blind { .. }) {
            oracle.excuse(&label);
        }
        let lasting = |seconds: u64, mend: Mend| Some((Duration::from_secs(seconds), mend));
        // What is not there (yet) cannot be harmed; that is no fault then.
        match *fault {
            Fault::KillOpenClaw => {
                let _ = world.sim.kill(&label);
                None
            }
            Fault::Hang { seconds } => {
                let _ = world.sim.sicken(&label, true);
                lasting(seconds, Mend::Hang(label))
            }
            Fault::BreakStart { seconds } => {
                let _ = world.sim.break_start(&label, Some(FailureReason::Crashed));
                let _ = world.sim.kill(&label);
                lasting(seconds, Mend::BreakStart(label))
            }
            Fault::Malform => {
                let _ = world.sim.malform(&label);
                None
            }
            Fault::Reboot => {
                let _ = world.sim.reboot(&machine.node);
                None
            }
            Fault::Cut { seconds } => {
                let _ = world.sim.cut(&machine.node, true);
                lasting(seconds, Mend::Cut(machine.node))
            }
            Fault::Lose => {
                let _ = world.sim.cut(&machine.node, true);
                self.lost.push(machine.node);
                None
            }
            Fault::HangUp => {
                let _ = world.sim.break_link(&machine.node);
                None
            }
            Fault::Mute { answers } => {
                let _ = world.sim.mute_effects(&machine.node, answers);
                lasting(600, Mend::Mute(machine.node))
            }
            Fault::Outage { seconds } => {
                let region = machine.region.clone();
                for other in world.sim.seen().into_iter().filter(|other| other.provider == machine.provider) {
                    other.label.iter().for_each(|label| oracle.excuse(label));
                }
                world.sim.outage(&machine.provider, &region, true);
                lasting(seconds, Mend::Outage(machine.provider, region))
            }
            Fault::Chat => {
                let _ = world.sim.chat(&label);
                None
            }
            Fault::Unlink { seconds } => {
                let _ = world.sim.unlink(&machine.node, true);
                lasting(seconds, Mend::Unlink(machine.node))
            }
            Fault::Blind { seconds } => {
                let _ = world.sim.blind(&machine.node, true);
                lasting(seconds, Mend::Blind(machine.node))
            }
            Fault::Stall { seconds } => {
                let _ = world.sim.stall(&machine.node, true);
                lasting(seconds, Mend::Stall(machine.node))
            }
            _ => None,
        }
    }

    /// What is gone by now is mended too.
    pub fn mend(&self, world: &World, mend: &Mend) {
        match mend {
            Mend::DiskFull => world.disk.trouble(|disk| disk.full = false),
            Mend::DiskSlow => world.disk.trouble(|disk| disk.slowest_ms = 0),
            Mend::Clock => world.clock.be_wrong_by(0),
            Mend::Hang(id) => drop(world.sim.sicken(id, false)),
            Mend::BreakStart(id) => drop(world.sim.break_start(id, None)),
            Mend::Cut(node) | Mend::Unlink(node) | Mend::Blind(node) if self.lost.contains(node) => {}
            Mend::Cut(node) => drop(world.sim.cut(node, false)),
            Mend::Mute(node) => drop(world.sim.mute_effects(node, 0)),
            Mend::Outage(provider, region) => {
                world.sim.outage(provider, region, false);
                for node in &self.lost {
                    let _ = world.sim.cut(node, true);
                }
            }
            Mend::Slow(provider) => world.sim.slow(provider, None),
            Mend::Lag => world.sim.lag(None),
            Mend::Unlink(node) => drop(world.sim.unlink(node, false)),
            Mend::Blind(node) => drop(world.sim.blind(node, false)),
            Mend::Stall(node) => {
                drop(world.sim.stall(node, false));
                if self.lost.contains(node) {
                    let _ = world.sim.cut(node, true);
                }
            }
            Mend::Deaf => world.listeners.deaf.store(false, Ordering::Relaxed),
        }
    }
}
