//! The control plane under simulated clocks, disks, networks and providers: a seed decides everything.
//!
//! What runs is the real planner, policy, store, operations, reconcilers, requests, node hub and node protocol. What
//! is simulated is what they stand on: time, randomness, the disk, the links, the machines, the providers and the
//! people. Nothing in here may read a real clock, a real source of randomness or a real network, and nothing in here
//! may help the control plane: it only does harm, stops doing it, and judges.

mod clock;
mod clouds;
mod disk;
mod ends;
mod listeners;
mod oracle;
mod orders;
mod people;
mod plane;
mod promise;
mod regressions;
mod rules;
mod run;
mod story;
mod trace;
mod updates;
mod wreck;

pub use oracle::Breach;
pub use promise::Promise;
pub use regressions::REGRESSIONS;
pub use run::{Report, run};
