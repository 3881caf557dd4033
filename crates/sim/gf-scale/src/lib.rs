//! Loads far past any fleet of today on single parts of the control plane, and what they cost.
//!
//! One module a group of rows. A group measures the product's own crates in processes of its own and hands back what it
//! read; it must never judge (targets are only shown beside values), and no test depends on a time read here.

pub mod links;
mod report;

pub use report::{Better, Measured, Point, Row};

/// A group of rows: `cargo xtask bench NAME` measures it.
pub type Group = (&'static str, fn() -> Measured);

pub const GROUPS: [Group; 1] = [("links", links::rows)];
