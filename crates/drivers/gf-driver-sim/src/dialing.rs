//! How a simulated node gets its link: it dials when its time has come, waits at the door for its turn, and dials again when
//! the control plane let go of it. It must never keep a turn that it does not take: everybody behind it would wait for ever.

use crate::{
    host::Due,
    machine::Machine,
    session::Session,
    wire::{Line, Wire},
    world::World,
};
use std::{sync::Arc, time::Duration};

impl World {
    /// It is somebody's turn at the door.
    pub(crate) fn call(&self, next: Option<Arc<Machine>>) {
        if let Some(next) = next {
            self.touch(&next, |_, scene| scene.later.push((scene.now, Due::Turn)));
        }
    }

    /// Does what the machine set itself to do by now.
    pub(crate) fn visit(self: &Arc<Self>, machine: &Arc<Machine>) {
        let (dial, turn, leases) = self.touch(machine, |inner, scene| {
            let (mut dial, mut turn, mut leases) = (false, false, false);
            if inner.stalled {
                inner.disarm();
                return (false, inner.gives_up_its_turn(), false);
            }
            for due in inner.take_due(scene.now) {
                turn |= matches!(due, Due::Turn);
                dial |= matches!(due, Due::Dial | Due::Turn);
                leases |= matches!(due, Due::Leases);
                inner.on_time(due, scene);
            }
            dial &= inner.saved.powered && !inner.silent && matches!(inner.session, Session::Down);
            (dial, turn, leases)
        });
        if leases {
            self.look_at_leases(machine);
        }
        if dial && self.door.enter(machine) {
            self.dial(machine);
        } else if turn && !dial {
            self.call(self.door.next());
        }
    }

    fn dial(self: &Arc<Self>, machine: &Arc<Machine>) {
        let epoch = self.touch(machine, |inner, _| {
            let epoch = inner.begin_link();
            inner.greet(&*self.entropy);
            epoch
        });
        let line = self.weather.lag().map(|_| Line::new());
        let wire = Wire { world: Arc::clone(self), machine: Arc::clone(machine), epoch, line };
        let hub = self.hub.read().clone();
        // Where nobody listens the wire is dropped, and the node dials again later.
        if let Some(hub) = hub {
            let link = async move { hub.serve(wire).await };
            match self.control.get() {
                Some(control) => drop(control.spawn(link)),
                None => drop(tokio::spawn(link)),
            }
        }
    }

    /// The control plane let go of a link.
    pub(crate) fn hung_up(&self, machine: &Arc<Machine>, epoch: u32) {
        self.touch(machine, |inner, scene| {
            if inner.is_current(epoch) {
                inner.end_link();
            }
            let dials = inner.due.iter().any(|(_, due)| matches!(due, Due::Dial));
            if matches!(inner.session, Session::Down) && inner.saved.powered && !dials {
                let pause = scene.chance.between(500, 4_000, "redial", machine.node.as_str(), epoch.into());
                scene.later.push((scene.now + Duration::from_millis(pause), Due::Dial));
            }
        });
    }
}
