//! Durable operations: stages of lanes of steps, logged before and after each step, undone where that is asked.
//!
//! A step may be cut off at any instruction and is then done again: each one looks before it acts. This crate never
//! decides what should be done (that is a plan) nor who may ask for it (that was settled before an operation exists).

mod control;
mod engine;
mod finish;
pub mod gate;
mod hands;
mod holding;
mod lane;
mod leases;
mod runner;
pub mod schedule;
pub mod sighting;
mod status;
mod steps;
mod trail;
mod upkeep;

pub use control::{Act, ControlError};
pub use engine::{Engine, Mandate, StartError};
pub use hands::{Hands, Limits, Paths};
pub use holding::{held, held_by};
pub use leases::StoredLeases;
pub use status::ask_status;
pub use steps::{FENCED_BY_LEASE, StepContext, StepError, revision_name, whole as config_to_own};
