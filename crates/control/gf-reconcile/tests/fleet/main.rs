//! The control plane as a whole over a simulated world, in one process and without waiting for real.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod clock;
mod config;
mod crash;
mod cut;
mod disk;
mod drift;
mod freeze;
mod heal;
mod life;
mod memory;
mod nodes;
mod outage;
mod picture;
mod provision;
mod refused;
mod rig;
mod rollout;
mod schedule;
mod sla;
mod stories;
mod upkeep;
mod world;
