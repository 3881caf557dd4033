//! Group commit: one thread makes durable, in order, whatever waits for it, and only then lets readers see it.
//!
//! Decisions run ahead of the disk on a fleet of their own. When a commit fails, everything that was decided
//! on top of it fails too and both fleets are read again from the backend, so that memory is never ahead of
//! or beside what is durable.

use crate::{
    Backend, Following, Leader, Pace, Position, Standing, StoreError, Tx,
    backend::{Batch, Head, Loaded},
    events::{Committed, Events, everything, key_of},
};
use gf_model::fleet::Fleet;
use parking_lot::{Mutex, RwLock};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, Sender},
};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender},
    oneshot, watch,
};

/// How many transactions share one commit at most.
const GROUP: usize = 512;

pub(crate) type Reply = Result<(), Arc<StoreError>>;

/// A decision on its way to the disk.
pub(crate) struct Item {
    pub epoch: u64,
    pub tx: Tx,
    pub reply: oneshot::Sender<Reply>,
}

pub(crate) enum Queue {
    /// The backend never waits: commits happen where the caller stands.
    Inline,
    Thread(Sender<Item>),
    /// A simulated disk, which takes simulated time.
    Task(UnboundedSender<Item>),
    /// Another control plane writes.
    Following,
    Closed,
}

/// What decisions are made on: all that is durable, and all that is on its way.
pub(crate) struct Decision {
    pub fleet: Fleet,
    pub last_seq: u64,
    /// Raised by every failed commit: what was decided before it is void.
    pub epoch: u64,
    /// The fleet could not be read again after a failed commit. Nothing is decided until it can.
    pub broken: Option<Arc<StoreError>>,
    pub queue: Queue,
}

pub(crate) struct Shared {
    pub backend: Arc<dyn Backend>,
    /// 0 while another control plane writes.
    generation: AtomicU64,
    pub standing: watch::Sender<Standing>,
    pub committed: RwLock<Fleet>,
    pub decision: Mutex<Decision>,
    pub position: Mutex<Position>,
    pub events: Events,
}

impl Shared {
    /// Decisions have nothing to be made on until somebody copies the fleet for them.
    pub fn new(backend: Arc<dyn Backend>, generation: u64, loaded: Loaded) -> Self {
        Self {
            backend,
            generation: AtomicU64::new(generation),
            standing: watch::Sender::default(),
            decision: Mutex::new(Decision {
                fleet: Fleet::default(),
                last_seq: loaded.head.seq,
                epoch: 0,
                broken: None,
                queue: Queue::Inline,
            }),
            committed: RwLock::new(loaded.fleet),
            events: Events::new(loaded.number),
            position: Mutex::new(Position { head: loaded.head, number: loaded.number }),
        }
    }

    /// One that is written elsewhere: nothing is decided on it, so that it is in memory once.
    pub fn following(backend: Arc<dyn Backend>, loaded: Loaded) -> Self {
        let following = Following { newest: loaded.number, ..Following::default() };
        let decision = Decision {
            fleet: Fleet::default(),
            last_seq: loaded.head.seq,
            epoch: 0,
            broken: None,
            queue: Queue::Following,
        };
        Self {
            backend,
            generation: AtomicU64::new(0),
            standing: watch::Sender::new(Standing::Follows(following)),
            decision: Mutex::new(decision),
            committed: RwLock::new(loaded.fleet),
            events: Events::new(loaded.number),
            position: Mutex::new(Position { head: loaded.head, number: loaded.number }),
        }
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub fn set_generation(&self, generation: u64) {
        self.generation.store(generation, Ordering::Release);
    }

    pub fn position(&self) -> Position {
        self.position.lock().clone()
    }

    /// Why nothing is decided here while another one leads.
    pub fn not_leading(&self) -> StoreError {
        let leader = match &*self.standing.borrow() {
            Standing::Follows(following) => following.leader.clone(),
            Standing::Leads => Leader::default(),
        };
        StoreError::Following { holder: leader.holder, api: leader.api }
    }

    /// The newest durable row.
    pub fn head(&self) -> Head {
        self.position.lock().head.clone()
    }

    /// Makes transactions durable, then visible. On an error nothing of them is either.
    pub fn flush(&self, group: impl Iterator<Item = Tx>) -> Result<(), StoreError> {
        let mut position = self.position.lock();
        let mut next = position.clone();
        let mut batches = Vec::new();
        for tx in group.filter(|tx| !tx.is_empty()) {
            let rows =
                tx.entries.iter().map(|entry| next.head.extend(entry)).collect::<Result<Vec<_>, _>>()?;
            next.number += 1;
            batches.push(Batch { number: next.number, changes: tx.changes, rows, sealed: tx.sealed });
        }
        if batches.is_empty() {
            return Ok(());
        }
        self.backend.commit(self.generation(), &batches)?;
        let mut first = position.head.seq + 1;
        *position = next;
        drop(position);

        let mut committed = Vec::with_capacity(batches.len());
        let mut fleet = self.committed.write();
        for batch in batches {
            let end = first + batch.rows.len() as u64;
            committed.push(Committed {
                number: batch.number,
                keys: batch.changes.iter().map(key_of).collect(),
                audit: first..end,
                missed: false,
            });
            first = end;
            for change in batch.changes {
                fleet.apply(change);
            }
        }
        // Told before it can be read: whoever reads and has heard of no change has missed none.
        self.events.tell(committed);
        drop(fleet);
        self.events.wake();
        Ok(())
    }

    /// Puts both fleets back to what is durable, after a commit whose outcome may even be unknown.
    pub fn recover(&self, decision: &mut Decision) {
        let mut position = self.position.lock();
        match self.backend.load().and_then(|loaded| not_before(&position, loaded)) {
            Ok(loaded) => {
                let differs = loaded.number != position.number;
                decision.fleet.clone_from(&loaded.fleet);
                decision.broken = None;
                *position = Position { head: loaded.head, number: loaded.number };
                let mut fleet = self.committed.write();
                *fleet = loaded.fleet;
                if differs {
                    self.events.tell([everything(loaded.number)]);
                }
                drop(fleet);
                self.events.wake();
            }
            Err(error) => {
                tracing::error!(%error, "the fleet could not be read again after a failed commit");
                decision.fleet.clone_from(&self.committed.read());
                decision.broken = Some(Arc::new(error));
            }
        }
        decision.last_seq = position.head.seq;
    }
}

/// Refuses a state that lacks what was acknowledged.
fn not_before(position: &Position, loaded: Loaded) -> Result<Loaded, StoreError> {
    let same_row = loaded.head.seq == position.head.seq;
    let trail_differs = same_row && loaded.head.hash != position.head.hash;
    if loaded.number < position.number || loaded.head.seq < position.head.seq || trail_differs {
        let place = "the store".to_owned();
        return Err(StoreError::WentBack { place, stored: loaded.number, known: position.number });
    }
    Ok(loaded)
}

/// The writer's thread: ends when the store is closed and the queue is empty.
pub(crate) fn run(shared: &Shared, queue: &Receiver<Item>) {
    let mut writer = Writer { epoch: 0, failure: Ok(()) };
    while let Ok(first) = queue.recv() {
        writer.settle(shared, std::iter::once(first).chain(queue.try_iter()));
    }
}

/// The same as a task, for a simulated disk.
pub(crate) async fn run_paced(shared: Arc<Shared>, mut queue: UnboundedReceiver<Item>, pace: Pace) {
    let mut writer = Writer { epoch: 0, failure: Ok(()) };
    while let Some(first) = queue.recv().await {
        tokio::time::sleep(pace()).await;
        writer.settle(&shared, std::iter::once(first).chain(std::iter::from_fn(|| queue.try_recv().ok())));
    }
}

struct Writer {
    epoch: u64,
    /// What those are told who decided on what failed.
    failure: Reply,
}

impl Writer {
    /// Commits a group of what waits.
    fn settle(&mut self, shared: &Shared, waiting: impl Iterator<Item = Item>) {
        let epoch = self.epoch;
        let (current, void): (Vec<Item>, Vec<Item>) =
            waiting.take(GROUP).partition(|item| item.epoch == epoch);
        for item in void {
            answer(item.reply, &self.failure);
        }
        if current.is_empty() {
            return;
        }
        let (group, replies): (Vec<Tx>, Vec<_>) =
            current.into_iter().map(|item| (item.tx, item.reply)).unzip();
        let outcome = shared.flush(group.into_iter()).map_err(Arc::new);
        if let Err(error) = &outcome {
            tracing::error!(%error, transactions = replies.len(), uncertain = error.may_have_happened(), "a commit failed");
            let mut decision = shared.decision.lock();
            decision.epoch += 1;
            self.epoch = decision.epoch;
            shared.recover(&mut decision);
            self.failure = outcome.clone();
        }
        for reply in replies {
            answer(reply, &outcome);
        }
    }
}

fn answer(reply: oneshot::Sender<Reply>, outcome: &Reply) {
    // A caller that went away is no concern of the disk.
    let _ = reply.send(outcome.clone());
}
