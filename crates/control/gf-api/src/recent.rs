//! The newest commits, for whoever was cut off and comes back: what they missed is told again from where they were, and
//! where that is not known any more they are told to look at everything.

use futures_util::{FutureExt, Stream, StreamExt};
use gf_store::{Committed, FleetStore};
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};

/// So many commits are kept.
pub const KEPT: usize = 1024;

type Commits = Box<dyn Stream<Item = Arc<Committed>> + Send + Unpin>;

pub struct Recent(Mutex<State>);

struct State {
    commits: Commits,
    /// Without gaps, the oldest first.
    kept: VecDeque<Arc<Committed>>,
    /// The newest commit that was there when this began, or that was told.
    newest: u64,
}

impl Recent {
    pub fn of(store: &FleetStore) -> Self {
        let commits: Commits = Box::new(store.subscribe());
        let newest = store.changed().newest();
        Self(Mutex::new(State { commits, kept: VecDeque::new(), newest }))
    }

    /// Takes in what was told since.
    pub fn catch_up(&self) {
        self.0.lock().catch_up();
    }

    /// What came after a commit, and the newest that is known of; `None` where some of it is not known any more.
    pub fn after(&self, number: u64) -> (Option<Vec<Arc<Committed>>>, u64) {
        let mut state = self.0.lock();
        state.catch_up();
        let known_from = state.kept.front().map_or(state.newest, |first| first.number.saturating_sub(1));
        let missed = (known_from..=state.newest)
            .contains(&number)
            .then(|| state.kept.iter().filter(|commit| commit.number > number).cloned().collect::<Vec<_>>());
        (missed, state.newest)
    }
}

impl State {
    fn catch_up(&mut self) {
        while let Some(Some(commit)) = tokio::task::unconstrained(self.commits.next()).now_or_never() {
            if commit.missed {
                self.kept.clear();
                self.newest = commit.number;
                continue;
            }
            if commit.number <= self.newest {
                continue;
            }
            self.newest = commit.number;
            self.kept.push_back(commit);
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }
}
