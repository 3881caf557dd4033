//! Works out what a request would do: which accounts and instances, which steps in which order, and what it costs.
//!
//! Everything in here is a pure function of the fleet and its arguments. It never does IO, reads no clock and draws no
//! randomness: ids come from an [`IdSource`]. Whether a plan *may* be carried out is for `gf-policy` to say; what is
//! impossible or unsafe in itself is refused here ([`PlanError`], [`lint()`]).

mod abreast;
pub mod cost;
mod draft;
mod error;
pub mod expand;
#[cfg(feature = "fixture")]
pub mod fixture;
mod lint;
pub mod place;
pub mod score;
pub mod sla;
pub mod track;
mod verbs;
pub mod waste;

pub use error::PlanError;
pub use expand::next_accounts;
pub use lint::{Objection, lint};

use gf_model::{Timestamp, fleet::Fleet, plan::Plan, verb::Verb};

/// Where fresh ids come from. The planner draws none by itself, so that a plan can be repeated exactly.
pub trait IdSource {
    fn next_u64(&mut self) -> u64;
}

/// One request may provision this many accounts at most.
pub const PROVISION_LIMIT: usize = 500;
/// One batch of a rollout holds this many gateways unless somebody says otherwise.
pub const BATCH: u32 = 50;

/// Works out a request against the fleet as it is.
pub fn plan(fleet: &Fleet, verb: &Verb, ids: &mut dyn IdSource, now: Timestamp) -> Result<Plan, PlanError> {
    verbs::plan(fleet, verb, ids, now)
}
