//! What the parts of a host share: where things lie, and the way to report.

use super::{guarding::Guard, journal::Journal, leases::Beats, runtime::Runtime};
use crate::{
    exec::Programs,
    instance::{Boots, Cgroups, ExitNotices, Pressure},
    machine::{self, Meter},
    program::Program,
};
use gf_node_proto::{Event, Resources, event};
use parking_lot::Mutex;
use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

pub struct Local {
    pub home: PathBuf,
    pub runtime: Runtime,
    pub cgroups: Cgroups,
    pub programs: Programs,
    /// What this process is.
    pub program: Arc<Program>,
    /// Whether this node may restart its machine.
    pub may_reboot: bool,
    pub boots: Boots,
    pub exit_notices: ExitNotices,
    pub beats: Beats,
    pub guard: Guard,
    /// Where other nodes can ask this one about leases; empty for nowhere.
    pub witness_address: Mutex<String>,
    /// When this process began, by the clock that leases go by.
    pub began: Duration,
    journal: Mutex<Journal>,
    meter: Mutex<(Meter, Resources)>,
    /// Something is to be told: an event, or a state that a heartbeat shows.
    pub news: Notify,
}

impl Local {
    pub fn open(
        home: PathBuf,
        node: &str,
        runtime: Runtime,
        cgroups: Cgroups,
        may_reboot: bool,
        program: Arc<Program>,
    ) -> io::Result<Self> {
        let guard = Guard::of(home.clone(), node.to_owned());
        let journal = Mutex::new(Journal::open(&home.join("events.log"))?);
        let (boots, exit_notices) = (Boots::at(runtime.boots()), ExitNotices::listen());
        let (meter, news) = (Mutex::default(), Notify::new());
        let programs = Programs::of_the_system();
        let local = Self {
            home,
            runtime,
            cgroups,
            programs,
            program,
            may_reboot,
            boots,
            exit_notices,
            beats: Beats::default(),
            guard,
            witness_address: Mutex::default(),
            began: machine::since_boot(),
            journal,
            meter,
            news,
        };
        local.measure();
        Ok(local)
    }

    pub fn instances(&self) -> PathBuf {
        self.home.join("instances")
    }

    /// Writes an event down and wakes whoever sends it.
    pub fn report(&self, instance: &str, generation: u64, kind: impl Into<event::Kind>) {
        let mut journal = self.journal.lock();
        let recorded = journal.record(instance, generation, now_ms(), kind.into());
        if let Some(file) = journal.unsynced() {
            tokio::task::spawn_blocking(move || file.sync_data());
        }
        drop(journal);
        if let Err(why) = recorded {
            // The state itself goes out with every heartbeat, so that the control plane still learns of it.
            tracing::error!(instance, %why, "an event could not be written down");
        }
        self.news.notify_one();
    }

    /// A state changed that the next heartbeat shows.
    pub fn changed(&self) {
        self.news.notify_one();
    }

    pub fn events_after(&self, seq: u64, most: usize) -> Vec<Event> {
        self.journal.lock().after(seq).take(most).cloned().collect()
    }

    pub fn acknowledge(&self, seq: u64) {
        if let Err(why) = self.journal.lock().acknowledge(seq) {
            tracing::warn!(%why, "an acknowledgement could not be written down; its events will be told again");
        }
    }

    /// The machine as it was when it was last measured.
    pub fn resources(&self) -> Resources {
        self.meter.lock().1.clone()
    }

    /// Reads the machine anew.
    pub fn measure(&self) -> Resources {
        let mut meter = self.meter.lock();
        let resources = meter.0.read(&self.home);
        meter.1 = resources.clone();
        resources
    }

    /// How busy the machine was then, as far as a score needs it.
    pub fn pressure(&self) -> Pressure {
        Pressure::of(&self.resources())
    }
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
