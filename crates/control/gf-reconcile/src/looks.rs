//! When a reconciler looks at the fleet: after a change or by its timer, and never so often that looking is most of
//! what the control plane does.

use gf_model::fleet::Fleet;
use gf_store::{Changed, FleetStore};
use std::time::Duration;
use tokio::time::Instant;

/// A look is followed by a rest of so many times its own length: a change every millisecond must not make ten
/// reconcilers walk through a large fleet all the time. In a small one the rest is too short to be noticed.
const RESTS: u32 = 4;
const WORTH_RESTING: Duration = Duration::from_millis(1);

pub(crate) struct Looks {
    store: FleetStore,
    changed: Changed,
    timer: Duration,
    took: Duration,
}

impl Looks {
    pub fn new(store: &FleetStore, timer: Duration) -> Self {
        Self { store: store.clone(), changed: store.changed(), timer, took: Duration::ZERO }
    }

    /// What comes after this look wakes it again.
    pub fn look<T>(&mut self, look: impl FnOnce(&Fleet) -> T) -> T {
        self.changed.borrow_and_update();
        let began = Instant::now();
        let seen = self.store.read(look);
        self.took += began.elapsed();
        seen
    }

    /// Waits for the next change of the fleet, or for the timer; `false` when there will be no more.
    pub async fn next(&mut self) -> bool {
        let timer = self.timer;
        self.within(timer).await
    }

    /// The same with another timer this once.
    pub async fn within(&mut self, timer: Duration) -> bool {
        let rest = std::mem::take(&mut self.took) * RESTS;
        if rest >= WORTH_RESTING {
            tokio::time::sleep(rest).await;
        }
        !matches!(tokio::time::timeout(timer, self.changed.changed()).await, Ok(Err(_)))
    }
}
