//! The few programs that this machine runs for an operator or for the node itself: by argument list, never through a
//! shell, and only what a table allows. What is not installed is said to be so; nothing is guessed.

mod docker;
mod firewall;
pub mod policy;
mod programs;
mod ssh;
mod ssh_findings;
mod tailscale;

pub use programs::Programs;
