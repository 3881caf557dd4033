//! The control plane as the process that an operator has: started, asked over HTTP, killed, started again.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod companion;
mod controllers;
mod crash;
mod disk;
mod handover;
mod heartbeat;
mod leases;
mod loss;
mod memory;
mod node;
mod otlp;
mod postgres;
mod rings;
mod run;
mod sim;
mod start;
mod trace;
mod upkeep;
