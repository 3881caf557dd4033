//! A state that outlives control planes and can end one at any commit: just before it, or just after.

use gf_model::{
    audit::AuditRow,
    fleet::{Change, Record},
};
use gf_store::{
    AuditQuery, Backend, Batch, Loaded, MemoryBackend, SealedRow, SqliteBackend, StoreError, StoredRow,
};
use parking_lot::Mutex;
use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Where a control plane ends, in commits from when this was armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Never,
    /// What was done until then happened, and its record is lost.
    Before(usize),
    /// The record is kept, and what follows from it has not begun.
    After(usize),
}

/// One control plane's hold on a state.
pub struct Disk {
    kept: Arc<dyn Backend>,
    log: Mutex<Vec<Batch>>,
    cut: Mutex<Cut>,
    commits: AtomicUsize,
    dead: AtomicBool,
    died: Notify,
}

/// Everything that was committed so far, to begin from again and again.
#[derive(Clone)]
pub struct Log(Vec<Batch>);

impl Disk {
    fn over(kept: Arc<dyn Backend>) -> Arc<Self> {
        Arc::new(Self {
            kept,
            log: Mutex::default(),
            cut: Mutex::new(Cut::Never),
            commits: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        })
    }

    pub fn empty() -> Arc<Self> {
        Self::over(Arc::new(MemoryBackend::default()))
    }

    /// A database in a file, called where the caller stands: paused time must not run on while a thread writes.
    pub fn file(path: &Path) -> Arc<Self> {
        Self::over(Arc::new(SqliteBackend::open(path).unwrap()))
    }

    /// A state of its own, as far as the log goes.
    pub fn replayed(log: &Log) -> Arc<Self> {
        let memory = MemoryBackend::default();
        let generation = memory.take_over().unwrap();
        memory.commit(generation, &log.0).unwrap();
        Self::over(Arc::new(memory))
    }

    /// The same state for the next control plane.
    pub fn reopened(&self) -> Arc<Self> {
        Self::over(Arc::clone(&self.kept))
    }

    pub fn log(&self) -> Log {
        Log(self.log.lock().clone())
    }

    pub fn arm(&self, cut: Cut) {
        self.commits.store(0, Ordering::Relaxed);
        *self.cut.lock() = cut;
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub async fn died(&self) {
        if !self.is_dead() {
            self.died.notified().await;
        }
    }

    fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
    }
}

/// Connections that come and go are not counted: nothing is done between them.
fn is_of_the_story(change: &Change) -> bool {
    !matches!(
        change,
        Change::Put(Record::Node(_) | Record::Provider(_) | Record::Person(_) | Record::Once(_))
            | Change::Delete(_)
    )
}

impl Backend for Disk {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.kept.load()
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        self.kept.take_over()
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        let matters =
            batches.iter().any(|batch| !batch.rows.is_empty() || batch.changes.iter().any(is_of_the_story));
        let nth = self.commits.fetch_add(usize::from(matters), Ordering::Relaxed) + 1;
        let nth = if matters { nth } else { 0 };
        let cut = *self.cut.lock();
        if cut == Cut::Before(nth) {
            self.die();
        }
        if self.is_dead() {
            return Err(StoreError::Closed);
        }
        self.kept.commit(generation, batches)?;
        self.log.lock().extend_from_slice(batches);
        if cut == Cut::After(nth) {
            self.die();
        }
        Ok(())
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.kept.audit(query)
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.kept.scan_audit(visit)
    }

    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        self.kept.sealed(prefix)
    }

    fn blocks(&self) -> bool {
        false
    }

    fn close(&self) {
        self.kept.close();
    }
}
