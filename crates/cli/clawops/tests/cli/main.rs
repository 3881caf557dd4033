//! The command line as the program that an operator has, against a control plane that is a process of its own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod automation;
mod bundle;
mod debug;
mod rules;
mod said;
mod server;
mod store;
mod watching;
