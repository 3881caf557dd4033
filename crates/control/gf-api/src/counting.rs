//! Keeps the [`Tally`] beside the fleet: whoever looks sees both as of the same commit.
//!
//! It is kept up all the time, so that whoever looks seldom finds little to catch up with.

use crate::view::tally::Tally;
use futures_util::{FutureExt, Stream, StreamExt};
use gf_model::fleet::{Fleet, Key};
use gf_store::{Committed, FleetStore};
use parking_lot::Mutex;
use std::sync::Arc;

type Commits = Box<dyn Stream<Item = Arc<Committed>> + Send + Unpin>;

pub struct Counting(Mutex<State>);

struct State {
    commits: Commits,
    /// `None` until somebody looks.
    tally: Option<Tally>,
}

impl Counting {
    pub fn of(store: &FleetStore) -> Self {
        Self(Mutex::new(State { commits: Box::new(store.subscribe()), tally: None }))
    }

    /// The durable fleet and its tally. As with [`FleetStore::read`]: copy what is needed and leave.
    pub fn look<T>(&self, store: &FleetStore, look: impl FnOnce(&Fleet, &Tally) -> T) -> T {
        store.read(|fleet| {
            let State { commits, tally } = &mut *self.0.lock();
            look(fleet, caught_up(commits, tally, fleet))
        })
    }
}

/// A commit is told before anybody can read it, so what waits here is all that the tally lacks.
fn caught_up<'t>(commits: &mut Commits, tally: &'t mut Option<Tally>, fleet: &Fleet) -> &'t Tally {
    let mut keys: Vec<Key> = Vec::new();
    // What waits here must be had now, however long the asking task has run.
    while let Some(Some(commit)) = tokio::task::unconstrained(commits.next()).now_or_never() {
        if commit.missed {
            *tally = None;
        }
        keys.extend(commit.keys.iter().cloned());
    }
    match tally {
        Some(tally) => {
            tally.take_in(fleet, &keys);
            tally
        }
        None => tally.insert(Tally::of(fleet)),
    }
}
