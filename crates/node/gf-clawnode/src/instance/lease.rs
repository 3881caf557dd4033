//! The serving lease of one instance: under which terms it serves, and until when.
//!
//! The rules are [`gf_model::lease`]'s; nothing in here looks at a wall clock, and nothing here opens or closes a channel
//! ([`super::shelve`] does).

use super::{Instance, Layout, duty::Duty};
use crate::{files, machine};
use gf_model::lease::Held;
use gf_node_proto::{Lease, VerifyingKey, Witness, WitnessAsk};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fs, io, path::PathBuf, time::Duration};

/// What is written down of a lease.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    pub number: u64,
    /// Without one the lease does not lapse.
    witness: Option<Peer>,
    /// The channels that closed because it was over, credentials included.
    pub(super) shelved: Option<Value>,
    pub(super) duty: Option<Duty>,
}

/// Where another node answers, and the key that it is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peer {
    address: String,
    key: String,
}

/// A question for a witness: whom, and what.
pub struct Question {
    pub address: String,
    pub key: VerifyingKey,
    pub ask: WitnessAsk,
    pub asked: Duration,
}

/// How long a lease stands, for a gf-clawnode that is started anew on the same machine.
#[derive(Serialize, Deserialize)]
struct Kept {
    boot: String,
    held: Held,
}

pub(super) fn key(hexed: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&hex::decode(hexed).ok()?.try_into().ok()?).ok()
}

fn file(layout: &Layout) -> PathBuf {
    layout.root().join("lease.json")
}

/// What an earlier gf-clawnode held; nothing where the machine was started anew since.
pub(super) fn kept(layout: &Layout) -> Held {
    let read = || serde_json::from_slice::<Kept>(&fs::read(file(layout)).ok()?).ok();
    read().filter(|kept| kept.boot == machine::boot_id()).map(|kept| kept.held).unwrap_or_default()
}

impl Terms {
    /// Of a primary what it serves under, of a standby what this node is the witness of.
    pub fn told(&self, standby: bool) -> u64 {
        if standby { self.duty.as_ref().map_or(0, |duty| duty.terms) } else { self.number }
    }

    pub fn forget_shelved(&mut self) {
        self.shelved = None;
    }

    pub fn is_lapsed(&self) -> bool {
        self.shelved.is_some()
    }

    /// Whether it can end.
    pub fn lapses(&self) -> bool {
        self.witness.is_some()
    }
}

impl Instance {
    /// The control plane's answer. Gives the witness of new terms, which are taken once it has shown that it renews.
    pub fn granted(&self, lease: &Lease, asked: Duration) -> Option<Question> {
        if self.accept_generation(lease.generation).is_err() {
            return None;
        }
        let (known, has) = {
            let spec = self.spec.lock();
            (spec.lease.number, spec.lease.witness.clone())
        };
        let peer = lease.witness.as_ref().map(peer);
        self.renewed(|held| held.renewed_by_control(asked, Duration::from_millis(lease.duration_ms.into())));
        match peer {
            None if lease.terms > known => self.take_terms(lease.terms, None),
            Some(peer) if lease.terms > known => {
                return self.question(lease.terms, &peer, machine::since_boot());
            }
            Some(peer) if lease.terms == known && Some(&peer) != has.as_ref() => {
                self.take_terms(known, Some(peer));
            }
            _ => {}
        }
        None
    }

    /// Written down, and the guard told, before the control plane hears of it: what it believes must be so.
    fn take_terms(&self, number: u64, witness: Option<Peer>) {
        let guarded = match witness {
            Some(_) => self.tell_guard(),
            None => Ok(()),
        };
        let taken = guarded.and_then(|()| {
            self.agree(|lease| {
                lease.number = number;
                lease.witness = witness;
            })
        });
        match taken {
            Ok(()) => self.local.changed(),
            Err(why) => {
                tracing::error!(instance = self.id, %why, "the terms of its lease cannot be taken");
            }
        }
    }

    /// Changes what was agreed on, durably or not at all.
    pub(super) fn agree(&self, change: impl FnOnce(&mut Terms)) -> io::Result<()> {
        let mut spec = self.spec.lock();
        let before = spec.lease.clone();
        change(&mut spec.lease);
        spec.save(&self.layout).inspect_err(|_| spec.lease = before)
    }

    fn tell_guard(&self) -> io::Result<()> {
        let until = self.live.lock().held.until();
        self.local.guard.tell(&self.id, until)
    }

    /// Finds its guard again, or has a new one.
    pub fn be_guarded(&self) {
        if self.lapses()
            && let Err(why) = self.tell_guard()
        {
            tracing::error!(instance = self.id, %why, "nobody closes it should this process die");
        }
    }

    /// The witness of new terms has answered.
    pub fn tried(&self, question: &Question) {
        let witness = Peer { address: question.address.clone(), key: hex::encode(question.key.as_bytes()) };
        if question.ask.terms > self.spec.lock().lease.number {
            self.take_terms(question.ask.terms, Some(witness));
        }
    }

    fn renewed(&self, change: impl FnOnce(&mut Held)) {
        let held = {
            let mut live = self.live.lock();
            change(&mut live.held);
            live.held
        };
        // Not worth a sync: what a crash of the machine forgets it also ends.
        let kept = Kept { boot: machine::boot_id(), held };
        if let Ok(text) = serde_json::to_vec(&kept)
            && let Err(why) = files::write_private_unsynced(&file(&self.layout), &text)
        {
            tracing::warn!(instance = self.id, %why, "how long its lease stands could not be written down");
        }
        self.be_guarded();
        self.lease_renewed.notify_waiters();
    }

    /// A witness said yes to what was asked.
    pub fn witnessed(&self, question: &Question, lasts: Duration) {
        // Under older terms it is nobody's word any more.
        if self.spec.lock().lease.number == question.ask.terms {
            self.renewed(|held| held.renewed_by_witness(question.asked, lasts));
        }
    }

    /// Whether it serves under a lease that can end.
    fn lapses(&self) -> bool {
        let spec = self.spec.lock();
        spec.lease.lapses() && !spec.standby
    }

    pub(super) fn may_serve(&self, now: Duration) -> bool {
        !self.lapses() || self.live.lock().held.stands(now)
    }

    fn question(&self, terms: u64, peer: &Peer, asked: Duration) -> Option<Question> {
        let spec = self.spec.lock();
        let ask = WitnessAsk {
            account: spec.account.clone(),
            terms,
            generation: spec.generation,
            ..WitnessAsk::default()
        };
        Some(Question { address: peer.address.clone(), key: key(&peer.key)?, ask, asked })
    }

    /// What is to be asked now, if anything.
    pub fn asks_witness(&self, now: Duration) -> Option<Question> {
        let (terms, peer) = {
            let spec = self.spec.lock();
            let serves = spec.channels_open || spec.lease.is_lapsed();
            (spec.lease.number, spec.lease.witness.clone().filter(|_| serves && !spec.standby)?)
        };
        self.live.lock().held.asks_witness(now).then(|| self.question(terms, &peer, now)).flatten()
    }

    /// It becomes what the other half was: what it was the witness of, and what it held before, is over.
    pub(super) fn forget_lease(&self) -> io::Result<()> {
        self.remember(|spec| spec.lease = Terms::default())
    }
}

fn peer(witness: &Witness) -> Peer {
    Peer { address: witness.address.clone(), key: hex::encode(&witness.public_key) }
}
