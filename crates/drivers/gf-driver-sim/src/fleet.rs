//! The handle on a simulated world: open it, fill it, and make things go wrong in it.

use crate::{
    CallFault, Refusal, SimDriver,
    machine::{Machine, Saved},
    world::World,
};
use gf_driver::Enrolment;
use gf_model::{
    InstanceId, NodeId,
    ambient::{Clock, Entropy},
    provider::{ProviderId, Region},
};
use gf_node_hub::Hub;
use gf_node_proto::FailureReason;
use std::{io, path::PathBuf, sync::Arc};
use tokio::{runtime::Handle, task::JoinHandle};

#[derive(Debug, Clone)]
pub struct SimSettings {
    /// The same seed tells the same story.
    pub seed: u64,
    /// 1.0 is the providers' usual pace; 0.1 is ten times as fast.
    pub pace: f64,
    /// Whether orders fail as often as the providers' records say.
    pub failures: bool,
    /// The file that the machines outlive this process in.
    pub state: Option<PathBuf>,
    /// How many nodes shake hands at the same time.
    pub at_the_door: usize,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self { seed: 1, pace: 1.0, failures: true, state: None, at_the_door: 8 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("the simulation's file {} cannot be used: {source}", path.display())]
    State {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("nothing simulated is called {0}")]
    Unknown(String),
}

/// Ends with its last handle: the machines fall silent, their state stays in the file.
pub struct SimFleet {
    pub(crate) world: Arc<World>,
    pulse: JoinHandle<()>,
}

impl SimFleet {
    /// Opens a world; the machines in its file, if it has one, come back and connect. Needs a tokio runtime.
    pub fn open(
        settings: SimSettings,
        hub: Hub,
        enrolment: Arc<dyn Enrolment>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SimError> {
        let fleet = Self::asleep(settings, hub, enrolment, clock, entropy);
        fleet.wake()?;
        Ok(fleet)
    }

    /// The same, but nothing is read and nobody connects before [`wake`](Self::wake): the file may still be another one's.
    pub fn asleep(
        settings: SimSettings,
        hub: Hub,
        enrolment: Arc<dyn Enrolment>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let world = World::asleep(settings, hub, enrolment, clock, entropy);
        let beating = Arc::clone(&world);
        let pulse = tokio::spawn(async move {
            loop {
                if let Some(machine) = beating.pulse.next().await.upgrade() {
                    beating.visit(&machine);
                }
            }
        });
        Self { world, pulse }
    }

    /// The machines in the file come back and connect. Of no effect on a world that is awake.
    pub fn wake(&self) -> Result<(), SimError> {
        self.world.wake().map_err(|source| {
            let path = self.world.settings.state.clone().unwrap_or_default();
            SimError::State { path, source }
        })
    }

    pub fn driver(&self) -> SimDriver {
        SimDriver { world: Arc::clone(&self.world) }
    }

    /// How many machines there are.
    pub fn len(&self) -> usize {
        self.world.machines().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A host that no provider made, for a driver that commands hosts. It enrols with the token.
    pub fn add_host(&self, node: NodeId, provider: ProviderId, region: Region, token: String) {
        let saved = Saved {
            node,
            provider,
            region,
            place: String::new(),
            label: None,
            order: None,
            token: Some(token.into()),
            control: None,
            powered: true,
            host: Default::default(),
        };
        let machine = self.world.insert(saved, true);
        self.world.connect(&machine);
    }

    /// The control plane was started again, with this hub.
    pub fn turn_to(&self, hub: Hub) {
        self.world.turn_to(hub);
    }

    /// From now on the control plane's end of links runs there, apart from the machines, so that it can be told what
    /// each of them costs.
    pub fn serve_on(&self, control: Handle) {
        // The first that was named stays.
        let _ = self.world.control.set(control);
    }

    /// The control plane is gone, and nobody has taken its place yet.
    pub fn abandon(&self) {
        self.world.abandon();
    }

    /// The machine of a node starts again.
    pub fn reboot(&self, node: &NodeId) -> Result<(), SimError> {
        self.world.reboot(&self.machine(node)?);
        Ok(())
    }

    /// From now on every frame of new links is so many milliseconds on its way, from and to; `None` is at once.
    pub fn lag(&self, lag: Option<(u64, u64)>) {
        self.world.weather.set_lag(lag);
    }

    fn machine(&self, node: &NodeId) -> Result<Arc<Machine>, SimError> {
        self.world.machine(node).ok_or_else(|| SimError::Unknown(node.to_string()))
    }

    fn machine_of(&self, instance: &InstanceId) -> Result<Arc<Machine>, SimError> {
        self.world.machine_of(instance).ok_or_else(|| SimError::Unknown(instance.to_string()))
    }

    /// `kill -9` of an instance's OpenClaw. Its node notices.
    pub fn kill(&self, instance: &InstanceId) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, scene| inner.saved.host.crash(instance.as_str(), scene));
        Ok(())
    }

    /// From now on its OpenClaw cannot start, for this reason; `None` mends it.
    pub fn break_start(&self, instance: &InstanceId, why: Option<FailureReason>) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, _| {
            if let Ok(instance) = inner.saved.host.instance(instance.as_str()) {
                instance.broken = why.map_or(0, Into::into);
                inner.changed = true;
            }
        });
        Ok(())
    }

    /// It runs and does not answer, or answers again.
    pub fn sicken(&self, instance: &InstanceId, sick: bool) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, scene| inner.saved.host.sicken(instance.as_str(), sick, scene));
        Ok(())
    }

    /// Somebody edits its configuration file by hand.
    pub fn edit(&self, instance: &InstanceId, patch: &serde_json::Value) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        let refused = || SimError::Unknown(instance.to_string());
        self.world.touch(&machine, |inner, _| {
            inner.changed = true;
            let known = inner.saved.host.instance(instance.as_str()).map_err(|_| refused())?;
            known.document.edit(&patch.to_string()).map_err(|_| refused())
        })
    }

    /// From now on what is written to its configuration is answered for and does not stay, or stays again.
    pub fn lose_writes(&self, instance: &InstanceId, lose: bool) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, _| {
            if let Ok(instance) = inner.saved.host.instance(instance.as_str()) {
                instance.document.loses_writes = lose;
                inner.changed = true;
            }
        });
        Ok(())
    }

    /// Somebody saved half of its configuration file.
    pub fn malform(&self, instance: &InstanceId) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, _| {
            if let Ok(instance) = inner.saved.host.instance(instance.as_str()) {
                instance.document.malform();
                inner.changed = true;
            }
        });
        Ok(())
    }

    /// Somebody puts its configuration file right again.
    pub fn repair(&self, instance: &InstanceId) -> Result<(), SimError> {
        let machine = self.machine_of(instance)?;
        self.world.touch(&machine, |inner, _| {
            if let Ok(instance) = inner.saved.host.instance(instance.as_str()) {
                instance.document.repair();
                inner.changed = true;
            }
        });
        Ok(())
    }

    /// Its user says something worth remembering. Answers with what it remembers now.
    pub fn chat(&self, instance: &InstanceId) -> Result<u64, SimError> {
        let machine = self.machine_of(instance)?;
        let unknown = || SimError::Unknown(instance.to_string());
        self.world.touch(&machine, |inner, _| {
            let known = inner.saved.host.instance(instance.as_str()).map_err(|_| unknown())?;
            known.memory += 1;
            let memory = known.memory;
            inner.changed = true;
            Ok(memory)
        })
    }

    /// What an instance remembers.
    pub fn memory(&self, instance: &InstanceId) -> Result<u64, SimError> {
        let machine = self.machine_of(instance)?;
        let mut inner = machine.lock();
        let found = inner.saved.host.instance(instance.as_str()).map(|instance| instance.memory);
        found.map_err(|_| SimError::Unknown(instance.to_string()))
    }

    /// Whether an instance's OpenClaw runs, seen at the machine.
    pub fn runs(&self, instance: &InstanceId) -> bool {
        let running = |machine: Arc<Machine>| {
            let mut inner = machine.lock();
            inner.saved.host.instance(instance.as_str()).is_ok_and(|instance| instance.runs())
        };
        self.world.machine_of(instance).is_some_and(running)
    }

    /// How many places and instances exist for a label, wherever they are.
    pub fn count(&self, label: &InstanceId) -> usize {
        let of_label = |machine: &Arc<Machine>| {
            let inner = machine.lock();
            let inside = inner.saved.host.instances.iter().filter(|i| *i.id == *label.as_str()).count();
            inside.max(usize::from(inner.saved.label.as_ref() == Some(label)))
        };
        self.world.machines().iter().map(of_label).sum()
    }

    /// Nothing goes in or out of a machine any more, or does again.
    pub fn cut(&self, node: &NodeId, cut: bool) -> Result<(), SimError> {
        let machine = self.machine(node)?;
        self.world.set_blind(&machine, cut);
        self.world.set_silent(&machine, cut);
        Ok(())
    }

    /// The control plane and this machine do not hear each other; other nodes hear it still.
    pub fn unlink(&self, node: &NodeId, cut: bool) -> Result<(), SimError> {
        self.world.set_silent(&self.machine(node)?, cut);
        Ok(())
    }

    /// Other nodes and this machine do not hear each other; the control plane hears it still.
    pub fn blind(&self, node: &NodeId, cut: bool) -> Result<(), SimError> {
        self.world.set_blind(&self.machine(node)?, cut);
        Ok(())
    }

    /// The whole machine stands still, or goes on where it was.
    pub fn stall(&self, node: &NodeId, stalled: bool) -> Result<(), SimError> {
        self.world.set_stalled(&self.machine(node)?, stalled);
        Ok(())
    }

    /// Ends a node's link; while `cut` it does not come back.
    pub fn hang_up(&self, node: &NodeId) -> Result<(), SimError> {
        let machine = self.machine(node)?;
        self.world.touch(&machine, |inner, _| inner.end_link());
        Ok(())
    }

    /// A node's connection breaks; it dials again in a moment.
    pub fn break_link(&self, node: &NodeId) -> Result<(), SimError> {
        self.world.break_link(&self.machine(node)?);
        Ok(())
    }

    /// The next commands of this node that change something are carried out and not answered.
    pub fn mute_effects(&self, node: &NodeId, commands: u32) -> Result<(), SimError> {
        self.machine(node)?.lock().mute = commands;
        Ok(())
    }

    /// A whole region goes dark, or comes back.
    pub fn outage(&self, provider: &ProviderId, region: &Region, dark: bool) {
        self.world.weather.darken(provider, region, dark);
        for machine in self.world.in_region(provider, region) {
            self.world.set_blind(&machine, dark);
            self.world.set_silent(&machine, dark);
        }
    }

    /// Everything at this provider takes so many times as long; `None` is its usual pace.
    pub fn slow(&self, provider: &ProviderId, times: Option<f64>) {
        self.world.weather.slow(provider, times);
    }

    /// What happens to the next call of this provider's API that nothing was armed for yet.
    pub fn next_call(&self, provider: &ProviderId, fault: CallFault) {
        self.world.weather.arm(provider, fault);
    }

    /// From now on calls to providers and machines are counted, and the so-manieth is refused; with 0 none is.
    pub fn refuse(&self, nth: u64, refusal: Refusal) {
        self.world.refusals.arm(nth, refusal);
    }

    /// How many calls there were since then.
    pub fn calls(&self) -> u64 {
        self.world.refusals.calls()
    }

    /// Nothing is refused any more; answers with the call that was.
    pub fn refuse_nothing(&self) -> Option<String> {
        self.world.refusals.disarm()
    }

    /// Whatever kept a release of gf-clawnode from coming up is put right.
    pub fn mend_releases(&self) {
        self.world.mended.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// A machine at the provider that somebody else ordered.
    pub fn plant_stranger(&self, provider: &ProviderId, region: &Region) {
        let saved = Saved {
            node: NodeId::from_bits(self.world.chance().bits("stranger", &provider.0, self.len() as u64), 12),
            provider: provider.clone(),
            region: region.clone(),
            place: "a stranger's".to_owned(),
            label: None,
            order: None,
            token: None,
            control: None,
            powered: false,
            host: Default::default(),
        };
        self.world.insert(saved, true);
    }
}

impl Drop for SimFleet {
    fn drop(&mut self) {
        self.pulse.abort();
        for machine in self.world.machines() {
            machine.lock().end_link();
        }
    }
}
