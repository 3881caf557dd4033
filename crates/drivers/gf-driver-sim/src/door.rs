//! Who may shake hands with the control plane now, and who waits for that: each handshake costs signatures, and
//! a fleet that comes up all at once would keep its control plane from everything else.

use crate::machine::Machine;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

pub(crate) struct Door {
    /// Handshakes at the same time, at the most.
    room: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    inside: usize,
    waiting: VecDeque<Weak<Machine>>,
}

impl Door {
    pub(crate) fn with_room_for(room: usize) -> Self {
        Self { room, queue: Mutex::default() }
    }

    /// Whether this machine may go in now; if not, somebody who leaves names it when its turn has come.
    pub(crate) fn enter(&self, machine: &Arc<Machine>) -> bool {
        let mut queue = self.queue.lock();
        if queue.inside >= self.room {
            queue.waiting.push_back(Arc::downgrade(machine));
            return false;
        }
        queue.inside += 1;
        true
    }

    /// One is done; whose turn it is now.
    pub(crate) fn leave(&self) -> Option<Arc<Machine>> {
        let mut queue = self.queue.lock();
        queue.inside = queue.inside.saturating_sub(1);
        queue.next()
    }

    /// Whose turn it is where the last one to be named does not go in: it is gone, off or inside already. Without this those
    /// who wait would wait for somebody who never leaves.
    pub(crate) fn next(&self) -> Option<Arc<Machine>> {
        let mut queue = self.queue.lock();
        if queue.inside >= self.room { None } else { queue.next() }
    }
}

impl Queue {
    fn next(&mut self) -> Option<Arc<Machine>> {
        std::iter::from_fn(|| self.waiting.pop_front()).find_map(|waiting| waiting.upgrade())
    }
}
