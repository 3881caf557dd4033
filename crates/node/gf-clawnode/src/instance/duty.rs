//! What this node is the witness of: as the home of a standby it renews the other half's lease while the control plane is
//! silent, until it has heard of a newer generation. It never asks for anything itself.

use super::{Instance, lease::key};
use crate::{host::Outcome, machine};
use gf_model::lease::may_renew;
use gf_node_proto::{VerifyingKey, WitnessAsk, WitnessDuty};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whose lease, as the control plane told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Duty {
    pub terms: u64,
    generation: u64,
    holder: String,
    key: String,
}

impl Instance {
    /// As the standby of a pair: this node may renew the other half's lease.
    pub fn told_to_witness(&self, duty: &WitnessDuty) {
        let duty = Duty {
            terms: duty.terms,
            generation: duty.generation,
            holder: duty.holder_node.clone(),
            key: hex::encode(&duty.holder_key),
        };
        let known = self.spec.lock().lease.duty.clone();
        if known.as_ref().is_some_and(|known| *known == duty || known.terms > duty.terms) {
            return;
        }
        match self.agree(|lease| lease.duty = Some(duty)) {
            Ok(()) => self.local.changed(),
            Err(why) => {
                tracing::error!(instance = self.id, %why, "whose witness it is could not be written down")
            }
        }
    }

    /// The key of whoever may ask about this account here, if this node is its witness.
    pub fn holder_of(&self, ask: &WitnessAsk) -> Option<VerifyingKey> {
        let spec = self.spec.lock();
        let duty = spec.lease.duty.as_ref().filter(|_| spec.standby && spec.account == ask.account)?;
        (duty.holder == ask.holder_node).then(|| key(&duty.key)).flatten()
    }

    /// Renews what was asked for, or says why not. Whoever asks has proven who it is.
    pub fn renews(&self, ask: &WitnessAsk, now: Duration) -> Result<(), String> {
        let (told, seen) = {
            let spec = self.spec.lock();
            let told = spec.lease.duty.as_ref().map_or((0, 0), |duty| (duty.terms, duty.generation));
            (told, spec.generation)
        };
        may_renew(told, seen, ask.terms, ask.generation).map_err(|why| why.to_string())?;
        self.live.lock().witnessed = Some(now);
        Ok(())
    }

    /// From now on no older generation is renewed here. How long ago one was at least.
    pub fn raise(&self, generation: u64) -> Outcome<Duration> {
        self.accept_generation(generation)?;
        let last = self.live.lock().witnessed.unwrap_or(self.local.began);
        Ok(machine::since_boot().saturating_sub(last))
    }
}
