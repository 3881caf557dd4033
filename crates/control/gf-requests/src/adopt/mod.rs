//! Taking in what is there and what the store does not know: after the store was lost, or put back from a copy.
//!
//! While an adoption is open nothing is decided on the store by itself, and nodes that it does not know are heard. What
//! would be taken in is shown first; an admin says yes to exactly that, and it ends the adoption. Nothing is restarted,
//! moved or deleted by it: it only writes down.

mod plan;

pub use plan::{Adoption, plan};

use crate::{Caller, Refusal, Requests};
use gf_model::{
    Timestamp,
    audit::AuditEntry,
    fleet::{Fleet, Key, Once},
};
use gf_operations::sighting::{Running, Sighted};
use gf_store::{FleetStore, TransactError};
use serde::Serialize;
use serde_json::{Value, json};

/// The record that says that an adoption is open.
const OPEN: &str = "adoption";

/// What happened to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    Lost,
    Restored,
}

/// From when on what is there is to be looked at.
pub fn open(now: Timestamp, why: Why, detail: Value) -> Once {
    Once { key: OPEN.to_owned(), at: now, answer: json!({ "why": why, "detail": detail }) }
}

/// Since when an adoption waits for a person, and why.
pub fn is_open(fleet: &Fleet) -> Option<(Timestamp, &str)> {
    let once = fleet.once.get(OPEN)?;
    Some((once.at, once.answer["why"].as_str().unwrap_or_default()))
}

/// Resolves when no adoption waits, or when the store is gone.
pub async fn settled(store: &FleetStore) {
    let mut changed = store.changed();
    while store.read(|fleet| is_open(fleet).is_some()) && changed.changed().await.is_ok() {}
}

/// Whether it must be asked what this instance owns: nothing in the store says it.
pub fn owns_unknown(fleet: &Fleet, id: &gf_model::InstanceId, running: &Running) -> bool {
    let gateway = running.account.as_ref().and_then(|account| fleet.gateways.get(account));
    !fleet.instances.contains_key(id) || gateway.is_none_or(|gateway| gateway.revision != running.revision)
}

impl Requests {
    /// Takes in what was shown: `shown` is the digest of the plan that the person saw. What changed since is shown again.
    pub async fn adopt(&self, caller: &Caller, seen: &Sighted, shown: &str) -> Result<Adoption, Refusal> {
        let now = self.clock().now();
        let write = self.store().transact(|fleet, tx| {
            if is_open(fleet).is_none() {
                return Err(Refusal::new(409, "nothing_to_adopt", "no adoption waits for a word here"));
            }
            let adoption = plan(fleet, seen, now);
            if adoption.digest != shown {
                return Err(Refusal::new(409, "plan_changed", "what is there is not what you saw any more")
                    .at("digest", shown)
                    .fix("look again: clawops adopt"));
            }
            let detail = json!({ "plan": adoption.lines, "unknown": adoption.unknown, "digest": shown });
            let targets = adoption.accounts.iter().map(ToString::to_string).collect();
            tx.audit(AuditEntry::noted(now, caller.principal.clone(), "fleet.adopt", targets, detail));
            adoption.changes.iter().cloned().for_each(|change| tx.put(change));
            tx.delete(Key::Once(OPEN.to_owned()));
            Ok(adoption)
        });
        write.await.map_err(|error| match error {
            TransactError::Refused(refusal) => refusal,
            TransactError::Store(error) => error.into(),
        })
    }
}
