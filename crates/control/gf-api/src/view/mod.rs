//! The fleet as people and agents are shown it: pure functions of the fleet and the time.
//!
//! Nothing in here guesses: what is not known is absent, and every count is counted.

pub mod alerts;
pub mod automation;
pub mod condition;
pub mod cost;
pub mod line;
pub mod progress;
pub mod progress_words;
pub mod sla;
pub mod status;
mod sums;
pub mod tally;
pub mod trace;
pub mod trail;
pub mod words;
