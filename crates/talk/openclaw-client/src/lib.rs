//! Speaks with a stock OpenClaw gateway as an operator on the same machine.
//!
//! One [`Client`] is one WebSocket connection: [`Client::call`] for any method, typed helpers for those that ClawOps
//! relies on, and a broadcast of events. [`probe`] asks the gateway's unauthenticated health pages. This crate must
//! never start, stop or configure a process, never decide anything, and never print a token.

pub mod chat;
mod connection;
pub mod error;
pub mod frame;
pub mod lean;
pub mod methods;
pub mod probe;
pub mod session;
pub mod version;

pub use connection::{Client, Endpoint, Hello, Token};
pub use error::{Error, RpcError};
pub use frame::Event;
pub use version::SUPPORTED;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;
