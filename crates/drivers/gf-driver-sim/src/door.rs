//! Who may shake hands with the control plane now, and who waits for that: each handshake costs signatures, and
//! a fleet that comes up all at once would keep its control plane from everything else.

use crate::machine::Machine;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

/// Handshakes at the same time.
const INSIDE: usize = 8;

#[derive(Default)]
pub(crate) struct Door(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    inside: usize,
    waiting: VecDeque<Weak<Machine>>,
}

impl Door {
    /// Whether this machine may go in now; if not, somebody who leaves names it when its turn has come.
    pub(crate) fn enter(&self, machine: &Arc<Machine>) -> bool {
        let mut queue = self.0.lock();
        if queue.inside >= INSIDE {
            queue.waiting.push_back(Arc::downgrade(machine));
            return false;
        }
        queue.inside += 1;
        true
    }

    /// One is done; whose turn it is now.
    pub(crate) fn leave(&self) -> Option<Arc<Machine>> {
        let mut queue = self.0.lock();
        queue.inside = queue.inside.saturating_sub(1);
        std::iter::from_fn(|| queue.waiting.pop_front()).find_map(|waiting| waiting.upgrade())
    }
}
