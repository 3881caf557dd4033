//! What was committed, told to whoever follows the fleet: the page, event streams, reconcilers.

use crate::changed::{Changed, Number};
use futures_util::{Stream, StreamExt};
use gf_model::fleet::{Change, Key, Record};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

/// How many commits a slow follower may lag behind before it is told to look at everything.
const BACKLOG: usize = 4096;

/// One durable transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Counts transactions from 1, over restarts too.
    pub number: u64,
    /// What was put or deleted.
    pub keys: Vec<Key>,
    /// Numbers of the audit rows that were added.
    pub audit: Range<u64>,
    /// The follower has missed commits, or the fleet was read again from disk: look at everything.
    pub missed: bool,
}

pub(crate) struct Events {
    sender: broadcast::Sender<Arc<Committed>>,
    /// The newest commit that was told.
    newest: AtomicU64,
    number: Number,
}

impl Events {
    pub fn new(number: u64) -> Self {
        Self {
            sender: broadcast::channel(BACKLOG).0,
            newest: AtomicU64::new(number),
            number: Number::new(number),
        }
    }

    /// Hands commits to whoever follows them.
    pub fn tell(&self, group: impl IntoIterator<Item = Committed>) {
        for committed in group {
            self.newest.store(committed.number, Ordering::Release);
            // An error only says that nobody follows.
            let _ = self.sender.send(Arc::new(committed));
        }
    }

    /// Wakes whoever waits for the number of the newest commit: once for all that became durable together.
    pub fn wake(&self) {
        self.number.set(self.newest.load(Ordering::Acquire));
    }

    pub fn changed(&self) -> Changed {
        self.number.follow()
    }

    pub fn since(&self) -> Since {
        Since(self.sender.subscribe())
    }

    pub fn subscribe(&self) -> impl Stream<Item = Arc<Committed>> + Send + Unpin + use<> {
        let number = self.number.follow();
        BroadcastStream::new(self.sender.subscribe()).map(move |item| match item {
            Ok(committed) => committed,
            Err(BroadcastStreamRecvError::Lagged(_)) => Arc::new(everything(number.newest())),
        })
    }
}

/// What was committed since it was asked last, for whoever keeps something beside the fleet.
///
/// A commit is told before anybody can read it: asked inside of a read, it is all that lies between that read and the last.
pub struct Since(broadcast::Receiver<Arc<Committed>>);

impl Since {
    /// The objects that changed; `None` where any may have.
    pub fn take(&mut self) -> Option<Vec<Key>> {
        let mut changed = Some(Vec::new());
        loop {
            match self.0.try_recv() {
                Ok(commit) if commit.missed => changed = None,
                Ok(commit) => {
                    if let Some(keys) = &mut changed {
                        keys.extend(commit.keys.iter().cloned());
                    }
                }
                Err(TryRecvError::Lagged(_)) => changed = None,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return changed,
            }
        }
    }
}

/// "Look at everything", as of this commit.
pub(crate) fn everything(number: u64) -> Committed {
    Committed { number, keys: Vec::new(), audit: 0..0, missed: true }
}

pub(crate) fn key_of(change: &Change) -> Key {
    match change {
        Change::Put(record) => Record::key(record),
        Change::Delete(key) => key.clone(),
    }
}
