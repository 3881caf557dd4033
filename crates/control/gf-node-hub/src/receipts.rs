//! Which events were taken care of: acknowledgements are cumulative, so one that is still open holds back
//! those after it.

use parking_lot::Mutex;
use std::{collections::BTreeSet, fmt, sync::Arc};
use tokio::sync::Notify;

/// Held by whoever takes care of an event. Dropping it without `done` leaves the event to be sent again.
pub struct Receipt {
    seq: u64,
    ledger: Arc<Ledger>,
}

impl Receipt {
    /// The event's effects are durable: the node may forget it.
    pub fn done(self) {
        self.ledger.settle(self.seq);
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({})", self.seq)
    }
}

/// One node's events, across its connections.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    seen: Mutex<Seen>,
    pub(crate) settled: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    /// Everything up to here was taken care of.
    acknowledged: u64,
    /// Taken care of, but something before it is still open.
    ahead: BTreeSet<u64>,
    /// Handed out and not dropped or settled in this connection.
    handed_out: BTreeSet<u64>,
}

impl Ledger {
    pub(crate) fn acknowledged(&self) -> u64 {
        self.seen.lock().acknowledged
    }

    /// The first event of a link is the oldest that the node still has: whatever came before it is over. So a
    /// hub that starts later joins where the node is, and a node that had to forget does not wait for ever.
    pub(crate) fn begin_at(&self, seq: u64) {
        let mut seen = self.seen.lock();
        seen.acknowledged = seen.acknowledged.max(seq.saturating_sub(1));
        let acknowledged = seen.acknowledged;
        seen.ahead.retain(|ahead| *ahead > acknowledged);
    }

    /// A receipt for an event that is not being taken care of already.
    pub(crate) fn receipt(self: &Arc<Self>, seq: u64) -> Option<Receipt> {
        let mut seen = self.seen.lock();
        if seq <= seen.acknowledged || seen.ahead.contains(&seq) || !seen.handed_out.insert(seq) {
            return None;
        }
        Some(Receipt { seq, ledger: Arc::clone(self) })
    }

    fn settle(&self, seq: u64) {
        let mut seen = self.seen.lock();
        seen.handed_out.remove(&seq);
        if seq > seen.acknowledged {
            seen.ahead.insert(seq);
        }
        loop {
            let next = seen.acknowledged + 1;
            if !seen.ahead.remove(&next) {
                break;
            }
            seen.acknowledged = next;
        }
        drop(seen);
        self.settled.notify_one();
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.ledger.seen.lock().handed_out.remove(&self.seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_event_holds_back_those_after_it() {
        let ledger = Arc::new(Ledger::default());
        let (first, second) = (ledger.receipt(1).unwrap(), ledger.receipt(2).unwrap());
        second.done();
        assert_eq!(ledger.acknowledged(), 0);
        first.done();
        assert_eq!(ledger.acknowledged(), 2);
    }

    #[test]
    fn what_is_in_hand_or_done_is_not_handed_out_again() {
        let ledger = Arc::new(Ledger::default());
        let first = ledger.receipt(1).unwrap();
        assert!(ledger.receipt(1).is_none());
        first.done();
        assert!(ledger.receipt(1).is_none());
    }

    #[test]
    fn what_was_dropped_is_handed_out_again() {
        let ledger = Arc::new(Ledger::default());
        drop(ledger.receipt(1));
        assert!(ledger.receipt(1).is_some());
    }

    #[test]
    fn a_hub_that_starts_later_joins_where_the_node_is() {
        let ledger = Arc::new(Ledger::default());
        ledger.begin_at(41);
        ledger.receipt(41).unwrap().done();
        assert_eq!(ledger.acknowledged(), 41);
    }

    #[test]
    fn what_a_node_had_to_forget_holds_nothing_back() {
        let ledger = Arc::new(Ledger::default());
        let forgotten = ledger.receipt(1).unwrap();
        ledger.begin_at(51);
        ledger.receipt(51).unwrap().done();
        forgotten.done();
        assert_eq!(ledger.acknowledged(), 51);
    }
}
