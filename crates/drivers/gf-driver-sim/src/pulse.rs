//! The one timer of a simulated fleet: when which machine has something to do. It does nothing by itself.

use crate::machine::Machine;
use parking_lot::Mutex;
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Weak,
};
use tokio::{sync::Notify, time::Instant};

struct Visit {
    at: Instant,
    /// Visits at the same moment are made in the order in which they were asked for.
    order: u64,
    machine: Weak<Machine>,
}

impl PartialEq for Visit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Visit {}
impl PartialOrd for Visit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Visit {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[derive(Default)]
pub(crate) struct Pulse {
    visits: Mutex<(u64, BinaryHeap<Reverse<Visit>>)>,
    earlier: Notify,
}

impl Pulse {
    pub(crate) fn visit(&self, at: Instant, machine: Weak<Machine>) {
        let mut visits = self.visits.lock();
        let first = visits.1.peek().is_none_or(|Reverse(next)| at < next.at);
        visits.0 += 1;
        let order = visits.0;
        visits.1.push(Reverse(Visit { at, order, machine }));
        drop(visits);
        if first {
            self.earlier.notify_one();
        }
    }

    /// The next machine whose moment has come.
    pub(crate) async fn next(&self) -> Weak<Machine> {
        loop {
            let at = {
                let mut visits = self.visits.lock();
                match visits.1.peek() {
                    Some(Reverse(next)) if next.at <= Instant::now() => {
                        if let Some(Reverse(visit)) = visits.1.pop() {
                            return visit.machine;
                        }
                        None
                    }
                    Some(Reverse(next)) => Some(next.at),
                    None => None,
                }
            };
            match at {
                Some(at) => tokio::select! {
                    biased;
                    () = tokio::time::sleep_until(at) => {}
                    () = self.earlier.notified() => {}
                },
                None => self.earlier.notified().await,
            }
        }
    }
}
