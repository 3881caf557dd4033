//! A whole ClawOps in a directory of its own, for tests and benches: real programs, a real OpenClaw, no key, no network.
//!
//! It is used as an operator uses it, through `clawops`; only what an operator cannot do (killing processes, reading a
//! session's tool results) is done from beside it. It ends what it started, by process id, also when a test fails.

pub mod chat;
pub mod cli;
pub mod fleet;
pub mod irc;
pub mod processes;
pub mod rest;
pub mod transcript;
pub mod universe;
pub mod wait;

pub use chat::{Answer, Line};
pub use universe::Universe;
