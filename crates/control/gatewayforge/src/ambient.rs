//! The system's own time and randomness, handed to everything else.

use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
};

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Keys and tokens are made from this: without it nothing may go on.
        if let Err(why) = getrandom::fill(bytes) {
            tracing::error!(%why, "the system gives no randomness");
            std::process::abort();
        }
    }
}
