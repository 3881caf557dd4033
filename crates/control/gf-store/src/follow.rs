//! A store that somebody else writes: what is read from the change log is applied here, and nothing is decided.
//!
//! The same handle leads later on, when the lease is taken; whoever holds it need not be made anew. It must never show
//! half of what was read at once, and never begin to write before all that is durable was applied.

use crate::{
    Backend, FleetStore, StoreError, StoreOptions,
    backend::{Head, Loaded},
    events::{Committed, everything},
    heads::Heads,
    store::thread_of,
    writer::{Queue, Shared},
};
use gf_model::{Timestamp, fleet::Change};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::watch;

/// How far in the fleet's history a control plane is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    pub head: Head,
    /// The number of the newest transaction.
    pub number: u64,
}

/// What was read after a position.
#[derive(Debug)]
pub enum News {
    /// What changed, all of it as of `position`, and the commits that did.
    Changes { changes: Vec<Change>, commits: Vec<Committed>, position: Position },
    /// The log does not reach back to that position: everything.
    Whole(Box<Loaded>),
}

/// Who leads, and where they are reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leader {
    /// In words: "pid 7 on one".
    pub holder: String,
    /// The API, such as `http://127.0.0.1:7410`; empty where it was not told.
    pub api: String,
    /// Where nodes connect.
    pub nodes: Vec<String>,
}

/// What a control plane is at this moment.
#[derive(Debug, Clone, Default)]
pub enum Standing {
    #[default]
    Leads,
    Follows(Following),
}

#[derive(Debug, Clone, Default)]
pub struct Following {
    pub leader: Leader,
    /// It was seen to renew its lease: it lives.
    pub lives: bool,
    /// The highest generation that was seen.
    pub generation: u64,
    /// The newest transaction that the database was seen to have.
    pub newest: u64,
    /// When the database last said that there was nothing newer than `newest`.
    pub heard: Option<Timestamp>,
    /// Why this one does not take over, whatever happens, until a person says so.
    pub halted: Option<Arc<StoreError>>,
}

impl FleetStore {
    /// Reads a fleet that another control plane may be writing. Every decision is refused until [`lead`](Self::lead).
    pub fn follow(backend: Arc<dyn Backend>, options: StoreOptions) -> Result<Self, StoreError> {
        let heads = match options.heads {
            Some((path, key)) => Some(Arc::new(Heads::open(path, key)?)),
            None => None,
        };
        let loaded = backend.load()?;
        let shared = Arc::new(Shared::following(backend, loaded));
        Ok(Self { shared, heads, policy: options.policy, ended: Arc::new(Mutex::new(None)) })
    }

    pub fn position(&self) -> Position {
        self.shared.position()
    }

    pub fn standing(&self) -> Standing {
        self.shared.standing.borrow().clone()
    }

    /// Tells of every change of what this control plane is.
    pub fn standings(&self) -> watch::Receiver<Standing> {
        self.shared.standing.subscribe()
    }

    /// Notes what a follower heard of the one that leads.
    pub fn heard(&self, following: Following) {
        self.shared.standing.send_if_modified(|standing| {
            let follows = matches!(standing, Standing::Follows(_));
            if follows {
                *standing = Standing::Follows(following);
            }
            follows
        });
    }

    /// Applies what was read after [`position`](Self::position), at once. Of no effect on a store that leads.
    pub fn advance(&self, news: News) {
        let mut position = self.shared.position.lock();
        if !matches!(*self.shared.standing.borrow(), Standing::Follows(_)) {
            return;
        }
        // Told before it can be read: whoever reads and has heard of no change has missed none.
        match news {
            News::Changes { changes, commits, position: reached } => {
                let mut fleet = self.shared.committed.write();
                for change in changes {
                    fleet.apply(change);
                }
                *position = reached;
                self.shared.events.tell(commits);
            }
            News::Whole(loaded) => {
                let Loaded { fleet: whole, head, number, .. } = *loaded;
                let mut fleet = self.shared.committed.write();
                *fleet = whole;
                *position = Position { head, number };
                self.shared.events.tell([everything(number)]);
            }
        }
        drop(position);
        self.shared.events.wake();
    }

    /// Whether something may be sent to a provider or a node: this control plane leads, and nobody can have replaced it.
    pub fn may_act(&self) -> bool {
        matches!(*self.shared.standing.borrow(), Standing::Leads) && self.shared.backend.may_act()
    }

    /// What was signed of rows that are lost for good is put aside: nothing that comes can agree with it.
    pub async fn set_heads_aside(&self) -> Result<(), StoreError> {
        let head = self.position().head;
        self.off_thread(move |store| store.heads.as_ref().map_or(Ok(()), |heads| heads.set_aside(head.seq)))
            .await
    }

    /// A person says to go on without what the database has lost; every control plane that follows goes on then.
    pub async fn accept_loss(&self, by: String) -> Result<(), StoreError> {
        self.off_thread(move |store| store.shared.backend.accept_loss(&by)).await
    }

    /// Begins to write under a generation that the backend gave. All that is durable must have been applied.
    pub fn lead(&self, generation: u64) -> Result<(), StoreError> {
        let mut decision = self.shared.decision.lock();
        match decision.queue {
            Queue::Following => {}
            Queue::Closed => return Err(StoreError::Closed),
            _ => return Ok(()),
        }
        decision.fleet.clone_from(&self.shared.committed.read());
        decision.last_seq = self.shared.position().head.seq;
        self.shared.set_generation(generation);
        if self.shared.backend.blocks() {
            let (queue, ends) = thread_of(&self.shared)?;
            decision.queue = queue;
            *self.ended.lock() = Some(ends);
        } else {
            decision.queue = Queue::Inline;
        }
        self.shared.standing.send_replace(Standing::Leads);
        Ok(())
    }
}
