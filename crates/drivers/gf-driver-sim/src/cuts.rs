//! Who hears whom: machines that are cut off from the control plane, from each other, or that stand still. What follows from
//! that is decided elsewhere.

use crate::{
    host::Due,
    machine::{Inner, Machine},
    session::Session,
    world::World,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

impl World {
    pub(crate) fn break_link(&self, machine: &Arc<Machine>) {
        self.touch(machine, |inner, scene| {
            inner.end_link();
            let pause = scene.chance.between(500, 4_000, "redial", machine.node.as_str(), 1);
            scene.later.push((scene.now + Duration::from_millis(pause), Due::Dial));
        });
    }

    pub(crate) fn set_silent(&self, machine: &Arc<Machine>, silent: bool) {
        self.touch(machine, |inner, scene| {
            inner.silent = silent;
            if !silent && !inner.stalled {
                inner.wake();
                if matches!(inner.session, Session::Down) {
                    scene.later.push((scene.now, Due::Dial));
                } else {
                    scene.later.push((scene.now, Due::Beat));
                }
            }
        });
    }

    /// Other nodes do not hear it any more, or again.
    pub(crate) fn set_blind(&self, machine: &Arc<Machine>, blind: bool) {
        self.touch(machine, |inner, _| inner.talk(|inner| inner.blind = blind));
    }

    /// It stands still, or wakes: then what its leases allow comes before anything else.
    pub(crate) fn set_stalled(&self, machine: &Arc<Machine>, stalled: bool) {
        if stalled == machine.lock().stalled {
            return;
        }
        self.touch(machine, |inner, scene| {
            inner.talk(|inner| inner.stalled = stalled);
            if !stalled {
                // In this order, so that nobody sees it serve in between.
                inner.saved.host.look_at_leases(scene);
            }
        });
        self.set_silent(machine, stalled);
    }
}

impl Inner {
    /// Whether this machine and others hear each other.
    pub(crate) fn can_talk(&self) -> bool {
        self.saved.powered && !self.blind && !self.stalled
    }

    pub(crate) fn talk(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.can_talk();
        change(self);
        if !before && self.can_talk() {
            self.talks_since = Instant::now();
        }
    }
}
