//! Keeps the [`Tally`] beside the fleet: whoever looks sees both as of the same commit.
//!
//! It is kept up all the time, so that whoever looks seldom finds little to catch up with.

use crate::view::tally::Tally;
use gf_model::fleet::Fleet;
use gf_store::{FleetStore, Since};
use parking_lot::Mutex;

pub struct Counting(Mutex<State>);

struct State {
    since: Since,
    /// `None` until somebody looks.
    tally: Option<Tally>,
}

impl Counting {
    pub fn of(store: &FleetStore) -> Self {
        Self(Mutex::new(State { since: store.since(), tally: None }))
    }

    /// The durable fleet and its tally. As with [`FleetStore::read`]: copy what is needed and leave.
    pub fn look<T>(&self, store: &FleetStore, look: impl FnOnce(&Fleet, &Tally) -> T) -> T {
        store.read(|fleet| {
            let State { since, tally } = &mut *self.0.lock();
            let known = tally.take().zip(since.take()).map(|(mut tally, keys)| {
                tally.take_in(fleet, &keys);
                tally
            });
            look(fleet, tally.insert(known.unwrap_or_else(|| Tally::of(fleet))))
        })
    }
}
