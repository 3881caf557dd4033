//! The nouns of a fleet and the pure rules about them.
//!
//! Every other crate speaks in these types. This crate must never do IO, read a clock or draw randomness:
//! both come in as arguments ([`ambient`]), so that the whole control plane can run in a simulator.

pub mod ambient;
pub mod approval;
pub mod audit;
pub mod channel;
pub mod fleet;
pub mod freeze;
pub mod gateway;
pub mod health;
pub mod ids;
pub mod incident;
pub mod instance;
pub mod lease;
pub mod money;
pub mod node;
pub mod notice;
pub mod operation;
pub mod patch;
pub mod person;
pub mod plan;
pub mod provider;
pub mod release;
pub mod revision;
pub mod rules;
pub mod schedule;
pub mod served;
pub mod snapshot;
pub mod table;
pub mod tier;
pub mod trace;
pub mod upkeep;
pub mod usage;
pub mod verb;

pub use gf_tools::{secret, words};
pub use ids::*;
pub use money::Cents;
pub use tier::Tier;

/// A moment in UTC; serialised as RFC 3339.
pub use jiff::Timestamp;
