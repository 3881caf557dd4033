//! The control plane as the process that an operator has: started, asked over HTTP, killed, started again.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod companion;
mod disk;
mod memory;
mod run;
mod sim;
mod start;
