//! The handle that the whole control plane holds: read the fleet, decide on it, follow it.

use crate::{
    AuditKey, AuditQuery, Backend, Changed, Committed, HeadPolicy, MemoryBackend, SealedRow, SignedHead,
    Since, SqliteBackend, StoreError, TransactError, Tx, Verification,
    backend::Head,
    heads::Heads,
    seen, verify,
    writer::{self, Item, Queue, Shared},
};
use futures_util::Stream;
use gf_model::{Timestamp, ambient::Entropy, audit::AuditRow, fleet::Fleet};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::sync::{mpsc::unbounded_channel, oneshot};

/// What a store is opened with besides its backend.
#[derive(Default)]
pub struct StoreOptions {
    /// Where signed heads go. Without it the trail is chained but a cut tail is not seen after a restart.
    pub heads: Option<(std::path::PathBuf, AuditKey)>,
    pub policy: HeadPolicy,
    /// How long a simulated disk takes for each commit. Without it a backend that never waits commits at once.
    pub pace: Option<Pace>,
}

/// Asked before each commit.
pub type Pace = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct FleetStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) heads: Option<Arc<Heads>>,
    pub(crate) policy: HeadPolicy,
    /// Resolves when the writer's thread has ended.
    pub(crate) ended: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

/// Starts the writer's thread: where decisions go from then on, and what resolves when it has ended.
pub(crate) fn thread_of(shared: &Arc<Shared>) -> Result<(Queue, oneshot::Receiver<()>), StoreError> {
    let (sender, receiver) = mpsc::channel();
    let (end, ends) = oneshot::channel();
    let for_writer = Arc::clone(shared);
    thread::Builder::new()
        .name("gf-store-writer".into())
        .spawn(move || {
            writer::run(&for_writer, &receiver);
            let _ = end.send(());
        })
        .map_err(|source| StoreError::io("gf-store-writer", "starting the writer's thread", source))?;
    Ok((Queue::Thread(sender), ends))
}

/// Decisions are made on a fleet of their own. A large one takes a while to copy, and whoever reads need not wait for it;
/// whoever decides does: the copy is made under the lock that decisions need.
fn copy_for_decisions(shared: &Arc<Shared>, queue: Queue) -> Result<(), StoreError> {
    let (locked, has_lock) = mpsc::channel();
    let for_copy = Arc::clone(shared);
    let copying = move || {
        let mut decision = for_copy.decision.lock();
        // An error only says that nobody waits for it any more.
        let _ = locked.send(());
        decision.fleet.clone_from(&for_copy.committed.read());
        decision.queue = queue;
    };
    thread::Builder::new()
        .name("gf-store-copy".into())
        .spawn(copying)
        .map_err(|source| StoreError::io("gf-store-copy", "starting the copy's thread", source))?;
    // Nobody decides before the lock is held. An error says that the copy is made already.
    let _ = has_lock.recv();
    Ok(())
}

fn waiting(epoch: u64, tx: Tx) -> (Item, oneshot::Receiver<writer::Reply>) {
    let (reply, durable) = oneshot::channel();
    (Item { epoch, tx, reply }, durable)
}

impl FleetStore {
    /// Takes the state over, reads it and starts the writer. Waits for the disk: call it before serving.
    pub fn open(backend: Arc<dyn Backend>, options: StoreOptions) -> Result<Self, StoreError> {
        let heads = match options.heads {
            Some((path, key)) => Some(Arc::new(Heads::open(path, key)?)),
            None => None,
        };
        let generation = backend.take_over()?;
        let loaded = backend.load()?;
        let blocks = backend.blocks();
        let shared = Arc::new(Shared::new(backend, generation, loaded));
        let mut ended = None;
        if blocks {
            let (queue, ends) = thread_of(&shared)?;
            copy_for_decisions(&shared, queue)?;
            ended = Some(ends);
        } else {
            let mut decision = shared.decision.lock();
            decision.fleet.clone_from(&shared.committed.read());
            if let Some(pace) = options.pace {
                let (sender, receiver) = unbounded_channel();
                tokio::spawn(writer::run_paced(Arc::clone(&shared), receiver, pace));
                decision.queue = Queue::Task(sender);
            }
        }
        Ok(Self { shared, heads, policy: options.policy, ended: Arc::new(Mutex::new(ended)) })
    }

    /// The store of a home directory: `store/gatewayforge.db`, `audit/heads.jsonl` and `keys/audit.key`.
    pub fn open_home(home: &Path, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        let backend = SqliteBackend::open(&home.join("store/gatewayforge.db"))?;
        Self::open(Arc::new(backend), Self::options_of(home, entropy)?)
    }

    /// The same where nodes and providers have known a fleet that is not in it: this control plane is newer than any of
    /// that one.
    pub fn open_home_from(home: &Path, entropy: &dyn Entropy, generation: u64) -> Result<Self, StoreError> {
        let backend = SqliteBackend::open(&home.join("store/gatewayforge.db"))?;
        backend.raise_generation(generation)?;
        Self::open(Arc::new(backend), Self::options_of(home, entropy)?)
    }

    /// The same with the fleet elsewhere, where another control plane may be writing it: what is signed, and the key for it,
    /// are in the home directory.
    pub fn follow_home_on(
        backend: Arc<dyn Backend>,
        home: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        Self::follow(backend, Self::options_of(home, entropy)?)
    }

    fn options_of(home: &Path, entropy: &dyn Entropy) -> Result<StoreOptions, StoreError> {
        let heads = home.join("audit/heads.jsonl");
        let key = AuditKey::open_or_create(&home.join("keys/audit.key"), &heads, entropy)?;
        Ok(StoreOptions { heads: Some((heads, key)), ..StoreOptions::default() })
    }

    /// A store that forgets everything when it is dropped, for tests and simulations.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::open(Arc::new(MemoryBackend::default()), StoreOptions::default())
    }

    /// Reads the durable fleet. The closure holds off the writer: copy what is needed and leave.
    pub fn read<T>(&self, look: impl FnOnce(&Fleet) -> T) -> T {
        // Recursive, so that a reader within a reader cannot be held up by a writer between the two.
        look(&self.shared.committed.read_recursive())
    }

    /// Decides on the newest fleet, one decision at a time, and returns when the outcome is durable.
    ///
    /// The decision sees everything decided before it, but not what it puts itself. A decision that changes
    /// nothing still waits for what it was based on. A caller that goes away does not take its decision back.
    pub async fn transact<T, E>(
        &self,
        decide: impl FnOnce(&Fleet, &mut Tx) -> Result<T, E>,
    ) -> Result<T, TransactError<E>> {
        let (value, durable) = self.decide(decide)?;
        if let Some(durable) = durable {
            durable.await.map_err(|_| Arc::new(StoreError::Closed))??;
        }
        Ok(value)
    }

    /// [`transact`](Self::transact) for a decision that never refuses.
    pub async fn update<T>(&self, decide: impl FnOnce(&Fleet, &mut Tx) -> T) -> Result<T, Arc<StoreError>> {
        match self.transact(|fleet, tx| Ok::<T, Infallible>(decide(fleet, tx))).await {
            Ok(value) => Ok(value),
            Err(TransactError::Store(error)) => Err(error),
            Err(TransactError::Refused(never)) => match never {},
        }
    }

    /// The part of a transaction that holds the lock; hands back what tells when it is durable.
    #[allow(clippy::type_complexity, reason = "used once, three lines below")]
    fn decide<T, E>(
        &self,
        decide: impl FnOnce(&Fleet, &mut Tx) -> Result<T, E>,
    ) -> Result<(T, Option<oneshot::Receiver<writer::Reply>>), TransactError<E>> {
        let mut guard = self.shared.decision.lock();
        let decision = &mut *guard;
        if matches!(decision.queue, Queue::Following) {
            return Err(Arc::new(self.shared.not_leading()).into());
        }
        if decision.broken.is_some() {
            self.shared.recover(decision);
        }
        if let Some(error) = &decision.broken {
            return Err(TransactError::Store(Arc::clone(error)));
        }
        let mut tx = Tx::new(decision.last_seq);
        let value = decide(&decision.fleet, &mut tx).map_err(TransactError::Refused)?;
        if seen::refused(&decision.fleet, &tx.changes) {
            return Err(Arc::new(StoreError::NotAsSeen).into());
        }
        let changes = tx.changes.clone();
        let rows = tx.entries.len() as u64;
        let durable = match &decision.queue {
            Queue::Closed | Queue::Following => return Err(Arc::new(StoreError::Closed).into()),
            Queue::Inline => {
                if let Err(error) = self.shared.flush(std::iter::once(tx)) {
                    self.shared.recover(decision);
                    return Err(Arc::new(error).into());
                }
                None
            }
            Queue::Thread(queue) => {
                let (item, durable) = waiting(decision.epoch, tx);
                queue.send(item).map_err(|_| Arc::new(StoreError::Closed))?;
                Some(durable)
            }
            Queue::Task(queue) => {
                let (item, durable) = waiting(decision.epoch, tx);
                queue.send(item).map_err(|_| Arc::new(StoreError::Closed))?;
                Some(durable)
            }
        };
        decision.last_seq += rows;
        for change in changes {
            decision.fleet.apply(change);
        }
        Ok((value, durable))
    }

    /// Every commit from now on. A follower that lags too far is told so with `missed`.
    pub fn subscribe(&self) -> impl Stream<Item = Arc<Committed>> + Send + Unpin + use<> {
        self.shared.events.subscribe()
    }

    /// What is committed from now on, asked for inside of a read.
    pub fn since(&self) -> Since {
        self.shared.events.since()
    }

    /// The number of the newest commit, to wait on.
    pub fn changed(&self) -> Changed {
        self.shared.events.changed()
    }

    /// Which control plane of this state this is, counted from 1; 0 while it follows another one.
    pub fn generation(&self) -> u64 {
        self.shared.generation()
    }

    /// The newest durable audit row; waits for a commit that is under way.
    pub fn audit_head(&self) -> Head {
        self.shared.head()
    }

    pub async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        self.off_thread(move |store| store.shared.backend.audit(&query)).await
    }

    /// Sealed rows whose id begins with `prefix`.
    pub async fn sealed(&self, prefix: impl Into<String>) -> Result<Vec<SealedRow>, StoreError> {
        let prefix = prefix.into();
        self.off_thread(move |store| store.shared.backend.sealed(&prefix)).await
    }

    /// The newest durable row of the audit trail.
    pub fn head_of_trail(&self) -> Head {
        self.shared.head()
    }

    /// Signs the newest row and keeps the signature outside the database; `None` when it is signed already.
    pub async fn sign_head(&self, now: Timestamp) -> Result<Option<SignedHead>, StoreError> {
        self.sign(now, |_, _| true).await
    }

    /// Signs when enough rows or enough time have passed since the last signature; call it every few seconds.
    pub async fn sign_head_if_due(&self, now: Timestamp) -> Result<Option<SignedHead>, StoreError> {
        let policy = self.policy;
        self.sign(now, move |heads, head| heads.is_due(head, now, policy)).await
    }

    async fn sign(
        &self,
        now: Timestamp,
        wanted: impl FnOnce(&Heads, &Head) -> bool + Send + 'static,
    ) -> Result<Option<SignedHead>, StoreError> {
        self.off_thread(move |store| {
            let head = store.shared.head();
            match &store.heads {
                Some(heads) if wanted(heads, &head) => heads.sign(&head, now),
                _ => Ok(None),
            }
        })
        .await
    }

    /// Walks the whole audit trail and says what does not fit.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        self.off_thread(|store| {
            let heads = match &store.heads {
                Some(heads) => heads.read()?,
                None => Vec::new(),
            };
            verify::verify(|visit| store.shared.backend.scan_audit(visit), || store.shared.head(), &heads)
        })
        .await
    }

    /// Commits what waits, then gives the state up. Every later decision on any clone is refused.
    pub async fn close(&self) {
        self.shared.decision.lock().queue = Queue::Closed;
        let ended = self.ended.lock().take();
        if let Some(ended) = ended {
            // An error only says that the thread is gone already.
            let _ = ended.await;
        }
        self.shared.backend.close();
    }

    /// Runs what may wait for a disk where waiting holds up nobody.
    pub(crate) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        if !self.shared.backend.blocks() {
            return work(&store);
        }
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(|_| StoreError::Closed)?
    }
}
