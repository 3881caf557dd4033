//! The host role from outside: the real binary, linked to a real hub, with scripts in place of OpenClaw where
//! that is enough and with the real OpenClaw where it is not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod admission;
mod cut;
mod guest;
mod leases;
mod machine;
mod model;
mod real;
mod reasons;
mod remote;
mod rig;
mod tickets;
mod update;
