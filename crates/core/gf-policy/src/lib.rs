//! Who may do what, what a person must agree to, and what counts as their yes.
//!
//! Everything here is a pure function of a plan, the fleet, the ledger and the time. It never looks at what a model
//! wrote, except for the one closed list of words by which a *person's* message answers a question.

mod agents;
mod answer;
pub mod breaker;
mod envelope;
mod facts;
mod forbids;
mod guarded;
mod hard;
mod incident;
pub mod leases;
mod ledger;
pub mod limits;
mod question;
mod request;

pub use agents::{AgentRow, Right, TEAM, TOOL_VERBS, is_child, row, tool_right};
pub use answer::{Answer, AnswerContext, LONGEST_WISH, OpenQuestion, answer};
pub use envelope::{Fit, fits};
pub use facts::{Asked, Facts, PROTECTIVE, Unprotected, is_protective};
pub use forbids::{Forbidden, forbids};
pub use guarded::{Guarded, Rules, guarded};
pub use hard::{MustAsk, floor};
pub use incident::may_declare_widespread;
pub use ledger::Ledger;
pub use question::question;
pub use request::{Allowed, Decision, Explanation, Needs, Policy, Refused, Request};
