//! The front door over HTTP, with a real store behind it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod acts;
mod alerts;
mod approvals;
mod audit;
mod bad_input;
mod callers;
mod document;
mod errors;
mod limits;
mod matching;
mod metrics;
mod outage;
mod page;
mod people;
mod resume;
mod rules;
mod schedules;
mod sla;
mod support;
mod waiting;
