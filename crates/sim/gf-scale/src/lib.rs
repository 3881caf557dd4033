//! Loads far past any fleet of today on single parts of the control plane, and what they cost.
//!
//! One module a group of rows. A group measures the product's own crates in processes of its own and hands back what it
//! read; it must never judge (targets are only shown beside values), and no test depends on a time read here.

pub mod fleet;
pub mod links;
pub mod process;
mod report;
pub mod stats;

pub use report::{Better, Measured, Point, Row};

/// A group of rows: `cargo xtask bench NAME` measures it.
pub struct Group {
    pub name: &'static str,
    pub rows: fn() -> anyhow::Result<Measured>,
    /// What a process of its own does, started as `gf-scale role NAME …` by [`process::Role`].
    pub role: fn(&[String]) -> anyhow::Result<()>,
}

pub const GROUPS: [Group; 2] = [
    Group { name: "links", rows: links::rows, role: links::role },
    Group { name: "scale", rows: fleet::rows, role: fleet::role },
];
