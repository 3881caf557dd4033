//! Grants serving leases by what stands in the store.

use gf_model::NodeId;
use gf_node_hub::{Duty, Grant, Granted, LeaseOffice};
use gf_node_proto::InstanceSummary;
use gf_policy::leases::{Ruling, ruling};
use gf_store::FleetStore;

/// It reads only; whether this control plane may grant anything is the hub's to know.
pub struct StoredLeases {
    store: FleetStore,
}

impl StoredLeases {
    pub fn new(store: FleetStore) -> Self {
        Self { store }
    }
}

impl LeaseOffice for StoredLeases {
    fn answer(&self, _: &NodeId, held: &[InstanceSummary]) -> Granted {
        let mut granted = Granted::default();
        self.store.read(|fleet| {
            for summary in held {
                let Ok(id) = summary.instance_id.parse() else { continue };
                let instance = summary.instance_id.clone();
                match ruling(fleet, &id, summary.lease_terms) {
                    Some(Ruling::Holds { generation, terms }) => {
                        granted.leases.push(Grant { instance, generation, terms });
                    }
                    Some(Ruling::Witnesses { generation, terms, holder }) => {
                        granted.duties.push(Duty { instance, terms, generation, holder });
                    }
                    None => {}
                }
            }
        });
        granted
    }
}
