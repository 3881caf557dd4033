//! Answers heartbeats with leases. Who may hold one is asked of a [`LeaseOffice`]; what is decided here is nothing: this
//! adds where a witness answers and by which key, and remembers when each node was answered last.

use crate::hub::Shared;
use gf_model::{NodeId, lease};
use gf_node_proto::{Heartbeat, InstanceSummary, Lease, LeaseGrant, Witness, WitnessDuty};
use std::time::Duration;
use tokio::time::Instant;

/// Knows who may hold a lease: the store in production.
pub trait LeaseOffice: Send + Sync + 'static {
    /// What follows from what a node says that it has.
    fn answer(&self, node: &NodeId, held: &[InstanceSummary]) -> Granted;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    pub leases: Vec<Grant>,
    pub duties: Vec<Duty>,
}

/// The right of one instance to keep its channels open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub instance: String,
    pub generation: u64,
    /// The number of the terms and the witness's node; nothing where the node keeps those that it has.
    pub terms: Option<(u64, Option<NodeId>)>,
}

/// That a node is the witness of somebody's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    pub instance: String,
    pub terms: u64,
    pub generation: u64,
    pub holder: NodeId,
}

/// What is kept of a node for this.
#[derive(Default)]
pub(crate) struct Known {
    /// Its bytes: a key that is ready for use takes six times as much room.
    pub(crate) key: Option<[u8; 32]>,
    witness_address: String,
    knows_leases: bool,
    answered: Option<Instant>,
}

impl Known {
    /// Where it can be asked, and by which key it is known then.
    fn as_witness(&self) -> Option<(&str, &[u8; 32])> {
        let address = Some(self.witness_address.as_str()).filter(|address| !address.is_empty())?;
        Some((address, self.key.as_ref()?))
    }
}

impl Shared {
    /// The answer to a heartbeat of a node that knows leases.
    pub(crate) fn lease_answer(&self, id: &NodeId, heartbeat: &Heartbeat) -> Option<LeaseGrant> {
        let office = self.config.leases.as_ref()?;
        let node = self.node(id);
        {
            let mut known = node.lease.lock();
            known.knows_leases = heartbeat.lease_seq > 0;
            if known.witness_address != heartbeat.witness_address {
                known.witness_address.clone_from(&heartbeat.witness_address);
            }
            if !known.knows_leases {
                return None;
            }
            // Also where nothing is renewed: what the node said may have been held until just now.
            known.answered = Some(Instant::now());
        }
        if !(self.config.may_send)() {
            // Another one may have begun to count.
            return None;
        }
        let granted = office.answer(id, &heartbeat.instances);
        if granted.leases.is_empty() && granted.duties.is_empty() {
            return None;
        }
        let leases = granted.leases.into_iter().map(|grant| self.lease(grant)).collect();
        let duties = granted.duties.into_iter().filter_map(|duty| self.duty(duty)).collect();
        Some(LeaseGrant { seq: heartbeat.lease_seq, leases, duties })
    }

    fn lease(&self, grant: Grant) -> Lease {
        let (terms, witness) = match grant.terms {
            None => (0, None),
            Some((terms, None)) => (terms, None),
            Some((terms, Some(node))) => match self.witness(&node) {
                Some(witness) => (terms, Some(witness)),
                None => (0, None),
            },
        };
        let duration_ms = u32::try_from(lease::LASTS.as_millis()).unwrap_or(u32::MAX);
        Lease { instance_id: grant.instance, generation: grant.generation, duration_ms, terms, witness }
    }

    fn duty(&self, duty: Duty) -> Option<WitnessDuty> {
        let holder_key = self.node(&duty.holder).lease.lock().key?.to_vec();
        Some(WitnessDuty {
            instance_id: duty.instance,
            terms: duty.terms,
            generation: duty.generation,
            holder_node: duty.holder.to_string(),
            holder_key,
        })
    }

    fn witness(&self, id: &NodeId) -> Option<Witness> {
        let nodes = self.nodes.read();
        let known = nodes.get(id)?.lease.lock();
        let (address, key) = known.as_witness()?;
        Some(Witness { node_id: id.to_string(), address: address.to_owned(), public_key: key.to_vec() })
    }

    /// Whether this node can be somebody's witness.
    pub(crate) fn can_witness(&self, id: &NodeId) -> bool {
        self.nodes.read().get(id).is_some_and(|node| node.lease.lock().as_witness().is_some())
    }

    pub(crate) fn knows_leases(&self, id: &NodeId) -> bool {
        self.node(id).lease.lock().knows_leases
    }

    /// How long ago, at least, a lease of this node was renewed from here for the last time. Whatever was before this
    /// hub began, another one may have renewed it then.
    pub(crate) fn lease_idle(&self, id: &NodeId) -> Duration {
        let (answered, began) = (self.node(id).lease.lock().answered, *self.began.read());
        answered.map_or(began, |at| at.max(began)).elapsed()
    }
}
