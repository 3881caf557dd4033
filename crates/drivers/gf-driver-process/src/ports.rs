//! Which port an instance gets. Each side of the machine has every second slot, so that neither has to know
//! what the other one runs.

use parking_lot::Mutex;
use std::{collections::BTreeSet, net::TcpListener};

/// From the installation's base to the first instance.
const FIRST: u16 = 100;
/// An OpenClaw takes its port and some after it.
const STRIDE: u16 = 10;

pub(crate) struct Ports {
    base: u16,
    reserved: Mutex<BTreeSet<u16>>,
}

/// A port that nobody else is given as long as this lives.
pub(crate) struct Reserved<'a> {
    ports: &'a Ports,
    pub port: u16,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.ports.reserved.lock().remove(&self.port);
    }
}

impl Ports {
    pub(crate) fn from_base(base: u16) -> Self {
        Self { base, reserved: Mutex::default() }
    }

    /// The lowest port of a side that no instance there has and nobody on this machine listens on.
    pub(crate) fn reserve(&self, side: usize, sides: usize, taken: &BTreeSet<u16>) -> Option<Reserved<'_>> {
        let mut reserved = self.reserved.lock();
        let port = self
            .slots(side, sides)
            .find(|port| !taken.contains(port) && !reserved.contains(port) && nobody_listens(*port))?;
        reserved.insert(port);
        Some(Reserved { ports: self, port })
    }

    fn slots(&self, side: usize, sides: usize) -> impl Iterator<Item = u16> {
        let first = u32::from(self.base) + u32::from(FIRST) + side as u32 * u32::from(STRIDE);
        (first..=u32::from(u16::MAX - STRIDE))
            .step_by(sides * usize::from(STRIDE))
            .filter_map(|p| u16::try_from(p).ok())
    }
}

fn nobody_listens(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_never_share_a_port() {
        let ports = Ports::from_base(7400);
        let of = |side| ports.slots(side, 2).take(500).collect::<BTreeSet<_>>();
        assert_eq!(of(0).first(), Some(&7500));
        assert_eq!(of(1).first(), Some(&7510));
        assert!(of(0).is_disjoint(&of(1)));
    }

    #[test]
    fn a_port_is_given_once_and_never_where_somebody_listens() {
        let ports = Ports::from_base(42_000);
        let first = ports.reserve(0, 2, &BTreeSet::new()).unwrap();
        let second = ports.reserve(0, 2, &BTreeSet::new()).unwrap();
        assert_ne!(first.port, second.port);
        let busy = TcpListener::bind(("127.0.0.1", second.port)).unwrap();
        let (first_port, second_port) = (first.port, second.port);
        drop((first, second));
        let taken = BTreeSet::from([first_port]);
        let third = ports.reserve(0, 2, &taken).unwrap();
        assert!(third.port != first_port && third.port != second_port);
        drop(busy);
    }

    #[test]
    fn a_machine_can_be_full() {
        assert!(Ports::from_base(u16::MAX - 50).reserve(0, 2, &BTreeSet::new()).is_none());
    }
}
