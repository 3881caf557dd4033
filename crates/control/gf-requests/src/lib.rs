//! The one door: every change of the fleet passes here, whoever asks for it.
//!
//! The order is always the same: may this principal use this verb → plan → lint → forbids → reserve the ledger →
//! approval where a person must agree → operation (audit row first). A model's words are never evidence of anything
//! in here, and nothing in here talks to a provider or a node.

mod admit;
pub mod adopt;
mod answer;
mod approve;
mod ask;
mod caller;
mod changes;
mod control;
mod freeze;
mod granted;
mod may_answer;
mod push;
mod refusal;
mod reserve;
mod rules;
mod schedules;
mod signed;
mod upkeep;

pub use answer::{Answered, Heard};
pub use caller::{Caller, Options, Outcome, Yes};
pub use gf_operations::Act;
pub use gf_policy::Explanation;
pub use push::Push;
pub use refusal::Refusal;
pub use schedules::Which;
pub use signed::{Given, signing_key};
pub use upkeep::Keep;

use gf_model::ambient::{Clock, Entropy};
use gf_operations::Engine;
use gf_policy::Ledger;
use gf_policy_cedar::CedarPolicy;
use gf_store::FleetStore;
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::sync::Arc;

/// How long a question stays open.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(60);

/// Cheap to clone; all clones are the same door.
#[derive(Clone)]
pub struct Requests {
    engine: Engine,
    policy: Arc<CedarPolicy>,
    /// Users touched lately: what no rule can count by itself.
    ledger: Arc<Mutex<Ledger>>,
    /// Held while a request with an idempotency key is answered.
    keyed: Arc<tokio::sync::Mutex<()>>,
}

impl Requests {
    pub fn new(engine: Engine, policy: Arc<CedarPolicy>) -> Self {
        let hands = engine.hands();
        let now = hands.clock.now();
        let ledger = hands.store.read(|fleet| Ledger::of(fleet, now));
        Self { engine, policy, ledger: Arc::new(Mutex::new(ledger)), keyed: Arc::default() }
    }

    /// Counts anew what was done lately: another control plane did it, and this one leads from now on.
    pub fn count_anew(&self) {
        let now = self.clock().now();
        *self.ledger.lock() = self.store().read(|fleet| Ledger::of(fleet, now));
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn store(&self) -> &FleetStore {
        &self.engine.hands().store
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.engine.hands().clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.engine.hands().entropy
    }
}
