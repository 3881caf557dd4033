//! The control plane's front door: REST, tools, the fleet page, server-sent events.
//!
//! It authenticates, reads the fleet and asks `gf-requests` for changes. It must never decide whether a change may
//! happen, never act on a place, and never take who called from anything but proof.

pub mod auth;
pub mod catalogue;
mod counting;
pub mod idempotency;
pub mod json;
pub mod limits;
mod lists;
mod matching;
mod metrics;
pub mod openapi;
mod page;
pub mod paging;
pub mod problem;
mod recent;
mod routes;
mod standing;
mod state;
mod tools;
pub mod view;

pub use metrics::SpanCounts;
pub use problem::Problem;
pub use routes::{document, router};
pub use state::{Api, ApiConfig, ApiOptions};
