//! The numbers of the rules, each with the comparison that it is used in.

use gf_model::Cents;

/// More users than this are counted and named in the question.
pub const USERS: usize = 10;
/// More instances than this are only changed in a rolling way.
pub const INSTANCES_AT_ONCE: usize = 100;
/// A stage is validated when it stops the rest at more failures than this, in percent.
pub const GATE_PERCENT: u8 = 10;
/// A batch may be so many times as large as all that was found well before it.
pub const STEP_UP: usize = 10;
/// A rise of the monthly cost by more than this is said.
pub const COST_PERCENT: i64 = 20;
/// Below this base a percentage says nothing.
pub const COST_BASE: Cents = Cents::dollars(100);
/// An agent restarts up to this many alone.
pub const RESTARTS_ALONE: usize = 10;
/// Silence for up to this long needs nobody.
pub const SILENCE_ALONE_MINUTES: u32 = 60;
/// Failovers that protect the fleet, at once.
pub const FAILOVERS_AT_ONCE: usize = 20;
/// More of the fleet than this, in percent, only fails over within [`BREAKER_SECONDS`] when an outage is confirmed.
pub const BREAKER_PERCENT: usize = 10;
/// A small fleet's tenth says nothing: this many may always fail over.
pub const BREAKER_FLOOR: usize = 10;
pub const BREAKER_SECONDS: i64 = 600;
/// A widespread incident is declared with a status of the provider that is at most this old.
pub const STATUS_AGE_SECONDS: i64 = 600;
