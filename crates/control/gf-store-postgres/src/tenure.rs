//! How long the lease is surely ours, by a clock that nobody sets and that goes on while the machine sleeps.
//!
//! Counted from before the database was asked, so that it ends no later than the database says. It only ever forbids:
//! what may be written is decided by the database.

use rustix::time::{ClockId, clock_gettime};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Nanoseconds since this machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

#[derive(Debug, Default)]
pub struct Tenure(AtomicU64);

impl Tenure {
    pub fn now() -> Moment {
        let now = clock_gettime(ClockId::Boottime);
        Moment(now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs())
    }

    /// The lease was taken or renewed by what was sent after `begun`.
    pub fn lasts(&self, begun: Moment, lease: Duration) {
        let until = begun.0.saturating_add(nanos(lease));
        self.0.fetch_max(until, Ordering::AcqRel);
    }

    pub fn ends(&self) {
        self.0.store(0, Ordering::Release);
    }

    /// Whether it lasts for at least `margin` from now on.
    pub fn holds(&self, margin: Duration) -> bool {
        self.0.load(Ordering::Acquire) > Self::now().0.saturating_add(nanos(margin))
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_counted_from_before_the_question_and_ends_when_told() {
        let tenure = Tenure::default();
        assert!(!tenure.holds(Duration::ZERO), "nothing was taken");
        let begun = Tenure::now();
        tenure.lasts(begun, Duration::from_secs(3600));
        tenure.lasts(begun, Duration::from_secs(1));
        assert!(tenure.holds(Duration::from_secs(3000)) && !tenure.holds(Duration::from_secs(3601)));
        tenure.ends();
        assert!(!tenure.holds(Duration::ZERO));
    }
}
