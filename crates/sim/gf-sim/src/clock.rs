//! The wall clock of a simulated world: it follows the simulated time, and it can be wrong.

use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::time::Instant;

const DAY_ONE_MS: i64 = 1_767_225_600_000;

pub struct SimClock {
    began: Instant,
    wrong_by_ms: AtomicI64,
}

impl SimClock {
    pub fn new() -> Self {
        Self { began: Instant::now(), wrong_by_ms: AtomicI64::new(0) }
    }

    /// From now on the clock is so wrong; 0 is right again.
    pub fn be_wrong_by(&self, ms: i64) {
        self.wrong_by_ms.store(ms, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = DAY_ONE_MS.saturating_add(passed).saturating_add(self.wrong_by_ms.load(Ordering::Relaxed));
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }
}

/// Bits that follow from the seed, in the order in which they are asked for.
pub struct SeededEntropy(Mutex<fastrand::Rng>);

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill(bytes);
    }
}
