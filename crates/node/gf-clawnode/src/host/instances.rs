//! The instances of this machine by name.

use super::{Failure, Local, Outcome, leases::Holder};
use crate::instance::{Instance, Order};
use gf_node_proto::{FailureCode, InstanceSummary};
use parking_lot::Mutex;
use std::{collections::BTreeMap, fs, io, sync::Arc};

pub struct Instances {
    pub local: Arc<Local>,
    /// Who asks witnesses.
    pub holder: Arc<Holder>,
    by_id: Mutex<BTreeMap<String, Arc<Instance>>>,
    /// Held while one is made, so that an order that is sent twice is made once.
    making: tokio::sync::Mutex<()>,
}

impl Instances {
    /// Finds the instances that an earlier gf-clawnode left running.
    pub fn load(local: Arc<Local>, holder: Holder) -> io::Result<Self> {
        let mut by_id = BTreeMap::new();
        for entry in fs::read_dir(local.instances())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            match Instance::load(Arc::clone(&local), &name) {
                Ok(instance) => {
                    by_id.insert(name, instance);
                }
                // Without its description it cannot be run; it may be what an interrupted creation left.
                Err(why) => tracing::error!(instance = name, %why, "a directory holds no instance"),
            }
        }
        let (by_id, making) = (Mutex::new(by_id), tokio::sync::Mutex::default());
        Ok(Self { local, holder: Arc::new(holder), by_id, making })
    }

    pub fn get(&self, id: &str) -> Outcome<Arc<Instance>> {
        self.find(id).ok_or_else(|| {
            let mut failure =
                Failure::new(FailureCode::UnknownInstance, format!("there is no {id} on this node"));
            failure.0.field = "instance_id".into();
            failure.0.value = id.to_owned();
            failure
        })
    }

    pub fn find(&self, id: &str) -> Option<Arc<Instance>> {
        self.by_id.lock().get(id).cloned()
    }

    /// Makes what was ordered; an order for what is there already answers with that.
    pub async fn make(&self, order: Order) -> Outcome<Arc<Instance>> {
        let _one_at_a_time = self.making.lock().await;
        if let Some(there) = self.find(&order.id) {
            let summary = there.summary();
            if summary.account == order.account && summary.port == u32::from(order.port) {
                return Ok(there);
            }
            let message =
                format!("{} exists here for {} on port {}", order.id, summary.account, summary.port);
            return Err(Failure::new(FailureCode::AlreadyExists, message));
        }
        let made = Instance::make(Arc::clone(&self.local), order).await?;
        self.by_id.lock().insert(made.id().to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// Removes one with everything in it; one that is not there is gone already.
    pub async fn delete(&self, id: &str) -> Outcome<()> {
        if let Some(instance) = self.find(id) {
            instance.delete().await?;
            self.by_id.lock().remove(id);
        }
        Ok(())
    }

    pub fn summaries(&self) -> Vec<InstanceSummary> {
        self.all().iter().map(|instance| instance.summary()).collect()
    }

    pub fn all(&self) -> Vec<Arc<Instance>> {
        self.by_id.lock().values().cloned().collect()
    }
}
