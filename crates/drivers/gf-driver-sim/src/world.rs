//! Everything that is simulated, and the one way in which a machine in it is moved.
//!
//! Nobody else locks a machine for longer than a look: what a machine does, what it sends, what is written of
//! it and when it is visited next are settled together in [`World::touch`].

use crate::{
    SimSettings,
    catalogue::Manner,
    chance::Chance,
    door::Door,
    host::{Due, Scene},
    journal::Journal,
    machine::{Inner, Machine, Saved},
    pulse::Pulse,
    refusal::Refusals,
    seen::Watcher,
    vault::{Kept, Vault},
    weather::Weather,
};
use gf_driver::Enrolment;
use gf_model::{
    InstanceId, NodeId,
    ambient::{Clock, Entropy},
    provider::{ProviderId, Region},
};
use gf_node_hub::Hub;
use parking_lot::RwLock;
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};

/// Until a populated fleet connects: its records are to be committed first, or its nodes are strangers.
const AFTER_POPULATION: Duration = Duration::from_secs(1);

pub(crate) struct World {
    pub settings: SimSettings,
    pub enrolment: Arc<dyn Enrolment>,
    pub vault: Vault,
    pub weather: Weather,
    pub refusals: Refusals,
    /// Releases that came up nowhere do now.
    pub mended: AtomicBool,
    /// One order at a time, so that two with one label cannot both find nothing.
    pub ordering: tokio::sync::Mutex<()>,
    pub pulse: Pulse,
    pub watcher: OnceLock<Arc<dyn Watcher>>,
    /// `None` while no control plane listens.
    pub(crate) hub: RwLock<Option<Hub>>,
    clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    journal: OnceLock<Journal>,
    machines: RwLock<BTreeMap<NodeId, Arc<Machine>>>,
    pub(crate) door: Door,
    began: Instant,
    /// Where the control plane's end of new links runs; beside the machines unless somebody says otherwise.
    pub control: OnceLock<Handle>,
}

impl World {
    /// Empty until it is woken.
    pub(crate) fn asleep(
        settings: SimSettings,
        hub: Hub,
        enrolment: Arc<dyn Enrolment>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<Self> {
        Arc::new(Self {
            door: Door::with_room_for(settings.at_the_door),
            settings,
            enrolment,
            vault: Vault::default(),
            weather: Weather::default(),
            refusals: Refusals::default(),
            mended: AtomicBool::new(false),
            ordering: tokio::sync::Mutex::default(),
            pulse: Pulse::default(),
            watcher: OnceLock::new(),
            hub: RwLock::new(Some(hub)),
            clock,
            entropy,
            journal: OnceLock::new(),
            machines: RwLock::default(),
            began: Instant::now(),
            control: OnceLock::new(),
        })
    }

    /// Brings back what is in its file, if it has one. From then on whoever had the file before writes to one that nobody
    /// reads any more.
    pub(crate) fn wake(self: &Arc<Self>) -> io::Result<()> {
        let Some(path) = self.settings.state.as_deref().filter(|_| self.journal.get().is_none()) else {
            return Ok(());
        };
        let loaded = Journal::open(path)?;
        loaded.kept.into_iter().for_each(|kept| self.vault.keep(kept));
        if self.journal.set(loaded.journal).is_ok() {
            for saved in loaded.machines {
                self.revive(saved);
            }
        }
        Ok(())
    }

    pub(crate) fn seed(&self) -> u64 {
        self.settings.seed
    }

    pub(crate) fn chance(&self) -> Chance {
        Chance::new(self.settings.seed)
    }

    /// How much longer things take at this provider than usual.
    pub(crate) fn pace(&self, provider: &ProviderId) -> f64 {
        self.settings.pace * self.weather.slowness(provider)
    }

    pub(crate) fn machine(&self, node: &NodeId) -> Option<Arc<Machine>> {
        self.machines.read().get(node).cloned()
    }

    pub(crate) fn machines(&self) -> Vec<Arc<Machine>> {
        self.machines.read().values().cloned().collect()
    }

    /// The machine that an instance is in, wherever it is.
    pub(crate) fn machine_of(&self, instance: &InstanceId) -> Option<Arc<Machine>> {
        let holds = |machine: &Arc<Machine>| {
            let inner = machine.lock();
            inner.saved.label.as_ref() == Some(instance)
                || inner.saved.host.instances.iter().any(|other| *other.id == *instance.as_str())
        };
        self.machines.read().values().find(|machine| holds(machine)).cloned()
    }

    /// A machine as it was before the control plane was started again.
    fn revive(self: &Arc<Self>, saved: Saved) {
        let waits_for_birth = saved.order.is_some();
        let powered = saved.powered;
        let machine = self.insert(saved, false);
        if !powered {
            return;
        }
        self.touch(&machine, |inner, scene| {
            for instance in &mut inner.saved.host.instances {
                instance.lease_goes_on(scene.moment);
            }
            let starting: Vec<_> =
                inner.saved.host.instances.iter().filter(|i| i.runs()).map(|i| i.id.clone()).collect();
            for id in starting {
                if inner.saved.host.instance(&id).is_ok_and(|i| i.phase == crate::instance::Phase::Booting) {
                    let _ = inner.saved.host.boot(&id, scene);
                }
            }
        });
        if waits_for_birth {
            self.deliver(&machine);
        } else {
            self.connect(&machine);
        }
    }

    pub(crate) fn insert(&self, saved: Saved, write: bool) -> Arc<Machine> {
        let machine = Arc::new(Machine::new(saved));
        if write {
            self.write(|journal| journal.machine(&machine.lock().saved));
        }
        self.machines.write().insert(machine.node.clone(), Arc::clone(&machine));
        machine
    }

    pub(crate) fn remove(&self, machine: &Arc<Machine>) {
        let turn = self.touch(machine, |inner, _| {
            let turn = inner.gives_up_its_turn();
            inner.saved.powered = false;
            inner.due.clear();
            inner.end_link();
            turn
        });
        if turn {
            self.call(self.door.next());
        }
        self.write(|journal| journal.gone(&machine.node));
        self.machines.write().remove(&machine.node);
    }

    /// The provider builds the machine; when it is there, its instance and its node start.
    pub(crate) fn deliver(&self, machine: &Arc<Machine>) {
        self.touch(machine, |inner, scene| {
            // Whatever one of this name ran before.
            inner.became_another = true;
            let (low, high) = Manner::of(&inner.saved.provider).map_or((0, 0), |manner| manner.provision_ms);
            let takes = scene.chance.between(low, high, "provision", inner.saved.node.as_str(), 0);
            scene.after(Duration::from_millis(takes), Due::Born);
            scene.after(Duration::from_millis(takes), Due::Dial);
        });
    }

    pub(crate) fn connect(&self, machine: &Arc<Machine>) {
        self.touch(machine, |_, scene| scene.later.push((scene.now, Due::Dial)));
    }

    pub(crate) fn connect_soon(&self, machine: &Arc<Machine>) {
        self.touch(machine, |_, scene| scene.later.push((scene.now + AFTER_POPULATION, Due::Dial)));
    }

    /// Moves a machine, and settles what follows from that.
    pub(crate) fn touch<T>(
        &self,
        machine: &Arc<Machine>,
        act: impl FnOnce(&mut Inner, &mut Scene<'_>) -> T,
    ) -> T {
        let mut inner = machine.lock();
        let mut scene = Scene {
            now: Instant::now(),
            moment: self.began.elapsed(),
            at_ms: self.clock.now().as_millisecond(),
            chance: self.chance(),
            pace: self.pace(&machine.provider),
            vault: &self.vault,
            refusals: &self.refusals,
            mended: self.mended.load(Ordering::Relaxed),
            kept: Vec::new(),
            later: Vec::new(),
        };
        let before = inner.saved.host.last_seq;
        let shook_hands = inner.session.is_shaking_hands();
        let out = act(&mut inner, &mut scene);
        inner.report(&mut scene);
        inner.plan_leases(&mut scene);
        inner.due.append(&mut scene.later);
        for kept in scene.kept {
            self.write(|journal| journal.kept(&kept));
        }
        let changed = std::mem::take(&mut inner.changed) || inner.saved.host.last_seq != before;
        if changed && inner.saved.powered | inner.saved.label.is_some() {
            self.write(|journal| journal.machine(&inner.saved));
        }
        let left_the_door = shook_hands && !inner.session.is_shaking_hands();
        let visit = inner.arm();
        let became =
            std::mem::take(&mut inner.became_another).then(|| inner.saved.host.software.version().to_owned());
        let turned = self.watcher.get().map(|watcher| (watcher, inner.turned()));
        drop(inner);
        if let Some((watcher, turned)) = turned {
            if let Some(version) = became {
                watcher.runs(&machine.node, &version);
            }
            for (account, instance, acts) in turned {
                watcher.acts(&account, &instance, acts);
            }
        }
        if let Some(at) = visit {
            self.pulse.visit(at, Arc::downgrade(machine));
        }
        if left_the_door {
            self.call(self.door.leave());
        }
        out
    }

    /// How long this frame of a node's link is on its way.
    pub(crate) fn lag(&self, node: &str, frame: u64) -> Duration {
        let (low, high) = self.weather.lag().unwrap_or_default();
        Duration::from_millis(self.chance().between(low, high, "lag", node, frame))
    }

    /// The control plane was started again: every node connects to the new one.
    pub(crate) fn turn_to(&self, hub: Hub) {
        *self.hub.write() = Some(hub);
        for machine in self.machines() {
            self.touch(&machine, |inner, scene| {
                inner.end_link();
                scene.later.push((scene.now, Due::Dial));
            });
        }
    }

    /// The control plane is gone: every link breaks, and nodes dial in vain until there is another one.
    pub(crate) fn abandon(&self) {
        *self.hub.write() = None;
        for machine in self.machines() {
            self.touch(&machine, |inner, scene| {
                inner.end_link();
                let pause = scene.chance.between(500, 4_000, "redial", machine.node.as_str(), 0);
                scene.later.push((scene.now + Duration::from_millis(pause), Due::Dial));
            });
        }
    }

    /// The machine starts again: whatever ran in it starts anew, and what its node had only in memory is gone.
    pub(crate) fn reboot(&self, machine: &Arc<Machine>) {
        self.touch(machine, |inner, scene| {
            if !inner.saved.powered {
                return;
            }
            inner.end_link();
            inner.ticket = None;
            inner.due.retain(|(_, due)| matches!(due, Due::Born | Due::Turn));
            inner.saved.host.forget_work();
            let ran: Vec<_> =
                inner.saved.host.instances.iter().filter(|i| i.runs()).map(|i| i.id.clone()).collect();
            for id in ran {
                let _ = inner.saved.host.boot(&id, scene);
            }
            scene.after(Duration::from_secs(5), Due::Dial);
        });
    }

    pub(crate) fn in_region(&self, provider: &ProviderId, region: &Region) -> Vec<Arc<Machine>> {
        let there = |machine: &&Arc<Machine>| machine.provider == *provider && machine.region == *region;
        self.machines.read().values().filter(there).cloned().collect()
    }

    /// A copy that was made before this world was.
    pub(crate) fn keep(&self, kept: Kept) {
        self.write(|journal| journal.kept(&kept));
        self.vault.keep(kept);
    }

    fn write(&self, line: impl FnOnce(&Journal) -> io::Result<()>) {
        if let Some(Err(why)) = self.journal.get().map(line) {
            tracing::error!(%why, "the simulation's state could not be written; it will be lost with this process");
        }
    }
}
