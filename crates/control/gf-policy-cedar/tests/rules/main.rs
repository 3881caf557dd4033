//! The shipped rules at each exact boundary, rules that cannot be read or fail, and what a change of rules shows.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod bad;
mod boundaries;
mod change;
mod floor;
mod support;
