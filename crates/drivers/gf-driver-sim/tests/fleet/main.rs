//! A simulated fleet as its control plane sees it: over the hub, in the node protocol's own words.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod control;
mod faults;
mod life;
mod state;
