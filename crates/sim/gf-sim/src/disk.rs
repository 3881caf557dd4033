//! The disk under a simulated store: slow, full for a while, lying, and cut off at any commit. What it acknowledged
//! outlives every control plane; what it did not may be there or not.

use crate::oracle::Oracle;
use gf_model::audit::AuditRow;
use gf_store::{AuditQuery, Backend, Batch, Loaded, MemoryBackend, SealedRow, StoreError, StoredRow};
use parking_lot::Mutex;
use std::{ops::ControlFlow, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// What goes wrong with the disk now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// Every commit fails and changes nothing.
    pub full: bool,
    /// So many commits are kept and reported as failed.
    pub lies: u32,
    /// The longest commit, in milliseconds.
    pub slowest_ms: u64,
    /// The control plane ends at the so-manieth commit from now: before it is kept, or just after.
    pub cut: Option<(u32, bool)>,
}

struct State {
    trouble: Trouble,
    rng: fastrand::Rng,
    /// The control plane that holds the disk is dead: nothing of it reaches the disk any more.
    dead: bool,
}

/// The disk of a world. Each control plane opens it anew.
pub struct Disk {
    kept: MemoryBackend,
    oracle: Arc<Oracle>,
    state: Mutex<State>,
    /// Told when a commit was the end of the control plane.
    pub cut: Notify,
}

/// One control plane's hold on the disk.
pub struct Hold {
    disk: Arc<Disk>,
    generation: Mutex<u64>,
}

impl Disk {
    pub fn new(seed: u64, oracle: Arc<Oracle>) -> Arc<Self> {
        let rng = fastrand::Rng::with_seed(seed);
        let state = State { trouble: Trouble::default(), rng, dead: false };
        Arc::new(Self {
            kept: MemoryBackend::default(),
            oracle,
            state: Mutex::new(state),
            cut: Notify::new(),
        })
    }

    pub fn trouble(&self, change: impl FnOnce(&mut Trouble)) {
        change(&mut self.state.lock().trouble);
    }

    /// The control plane is dead, whatever its tasks still try.
    pub fn die(&self) {
        self.state.lock().dead = true;
    }

    /// How long the next commit takes.
    pub fn pace(&self) -> Duration {
        let mut state = self.state.lock();
        let slowest = state.trouble.slowest_ms;
        Duration::from_micros(state.rng.u64(200..=800) + 1000 * state.rng.u64(0..=slowest))
    }

    pub fn hold(self: &Arc<Self>) -> Arc<Hold> {
        self.state.lock().dead = false;
        Arc::new(Hold { disk: Arc::clone(self), generation: Mutex::new(0) })
    }
}

fn full() -> StoreError {
    StoreError::Full { path: "/simulated".into(), source: "no space left on device".into() }
}

impl Backend for Hold {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.disk.kept.load()
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        let generation = self.disk.kept.take_over()?;
        *self.generation.lock() = generation;
        Ok(generation)
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        let mut state = self.disk.state.lock();
        if state.dead {
            return Err(StoreError::Closed);
        }
        if state.trouble.full {
            return Err(full());
        }
        let ends = match &mut state.trouble.cut {
            Some((left, _)) if *left > 0 => {
                *left -= 1;
                None
            }
            other => other.take().map(|(_, kept)| kept),
        };
        if ends == Some(false) {
            state.dead = true;
            self.disk.cut.notify_one();
            return Err(StoreError::Closed);
        }
        self.disk.kept.commit(generation, batches)?;
        self.disk.oracle.committed(batches);
        if ends == Some(true) {
            state.dead = true;
            self.disk.cut.notify_one();
            return Err(StoreError::Closed);
        }
        if state.trouble.lies > 0 {
            state.trouble.lies -= 1;
            return Err(full());
        }
        Ok(())
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.disk.kept.audit(query)
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.disk.kept.scan_audit(visit)
    }

    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        self.disk.kept.sealed(prefix)
    }

    fn blocks(&self) -> bool {
        false
    }

    fn close(&self) {}
}
