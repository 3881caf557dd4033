//! Five providers and their machines in memory, which speak to the control plane as real ones do: the same
//! bytes over the hub's own handler, with keys, enrolment, heartbeats, numbered events and every command.
//!
//! It must never be mistaken for the real thing: nothing in it touches a network, and no machine it claims to
//! run exists. What happens follows from a seed; faults are armed by a person or a test.

mod catalogue;
mod chance;
mod channels;
mod commands;
mod cuts;
mod dialing;
mod document;
mod door;
mod driver;
mod fleet;
mod generate;
mod host;
mod instance;
mod journal;
mod leases;
mod machine;
mod parking;
mod populate;
mod pulse;
mod refusal;
mod seen;
mod session;
mod software;
pub mod testing;
mod vault;
mod weather;
mod wire;
mod world;

pub use driver::SimDriver;
pub use fleet::{SimError, SimFleet, SimSettings};
pub use refusal::Refusal;
pub use seen::{SeenInstance, SeenMachine, Watcher};
pub use weather::CallFault;
