//! The promises that a simulation judges, in the order and by the numbers of `ARCHITECTURE.md`.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// No two instances of a pair receive or send for the same channel.
    OneActs,
    /// No provider resource is made twice and none is forgotten.
    NothingForgotten,
    /// No delete without a durable audit row before it, no action outside the approved envelope, a whole chain.
    Audited,
    /// Every operation ends done, undone or stuck-and-paged, and progresses when the faults end.
    Ends,
    /// A rollout never leaves more than one batch on a failing revision.
    OneBatch,
    /// A dead control plane stops no gateway that serves.
    StaticallyStable,
    /// A heal never loops and an outage never becomes a storm.
    Bounded,
    /// The same seed tells the same story. Not a promise of the product: without it nothing here is worth much.
    Repeatable,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneActs => "promise 1 (one acts)",
            Self::NothingForgotten => "promise 2 (nothing twice, nothing forgotten)",
            Self::Audited => "promise 3 (audited, inside the envelope)",
            Self::Ends => "promise 4 (every operation ends)",
            Self::OneBatch => "promise 5 (one batch)",
            Self::StaticallyStable => "promise 6 (a dead control plane stops nothing)",
            Self::Bounded => "promise 7 (heals and calls are bounded)",
            Self::Repeatable => "the same seed tells the same story",
        })
    }
}
