//! What a fleet's instances add up to, kept with every change: how many are where, who shares a node, what they cost.
//!
//! Plans ask this for each account that they are about; a walk over a hundred thousand instances would be most of what such
//! a plan costs. It must say what counting anew would, and is made of nothing but the instances themselves.

use super::{Change, Key, Record};
use crate::{
    Cents, InstanceId, NodeId,
    instance::Instance,
    provider::{ProviderId, Region},
    table::Table,
};
use hashbrown::HashMap;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loads {
    places: BTreeMap<(ProviderId, Region), usize>,
    /// Asked by name alone, and never told of one after the other.
    nodes: HashMap<NodeId, usize>,
    monthly: Cents,
}

impl Loads {
    pub(super) fn of(instances: &Table<InstanceId, Instance>) -> Self {
        let mut loads = Self::default();
        instances.values().for_each(|instance| loads.add(instance));
        loads
    }

    /// Before `change` is made to `instances`.
    pub(super) fn follow(&mut self, instances: &Table<InstanceId, Instance>, change: &Change) {
        let (id, now) = match change {
            Change::Put(Record::Instance(instance)) => (&instance.id, Some(instance)),
            Change::Delete(Key::Instance(id)) => (id, None),
            _ => return,
        };
        if let Some(before) = instances.get(id) {
            self.remove(before);
        }
        if let Some(now) = now {
            self.add(now);
        }
    }

    /// Instances that exist, by where they are.
    pub fn places(&self) -> impl Iterator<Item = (&ProviderId, &Region, usize)> {
        self.places.iter().map(|((provider, region), count)| (provider, region, *count))
    }

    /// Instances that exist on this node.
    pub fn on_node(&self, node: &NodeId) -> usize {
        self.nodes.get(node).copied().unwrap_or_default()
    }

    /// What all that are paid for cost a month.
    pub fn monthly(&self) -> Cents {
        self.monthly
    }

    fn add(&mut self, instance: &Instance) {
        if !instance.state.exists() {
            return;
        }
        *self.places.entry(place(instance)).or_default() += 1;
        if let Some(node) = &instance.node {
            *self.nodes.entry(node.clone()).or_default() += 1;
        }
        if instance.is_paid() {
            self.monthly = self.monthly + instance.monthly_cost;
        }
    }

    fn remove(&mut self, instance: &Instance) {
        if !instance.state.exists() {
            return;
        }
        let place = place(instance);
        if let Some(count) = self.places.get_mut(&place)
            && is_the_last_of(count)
        {
            self.places.remove(&place);
        }
        if let Some(node) = &instance.node
            && let Some(count) = self.nodes.get_mut(node)
            && is_the_last_of(count)
        {
            self.nodes.remove(node);
        }
        if instance.is_paid() {
            self.monthly = self.monthly - instance.monthly_cost;
        }
    }
}

fn place(instance: &Instance) -> (ProviderId, Region) {
    (instance.provider.clone(), instance.region.clone())
}

/// One less. What counts nothing any more is not kept, so that two fleets of the same instances are equal.
fn is_the_last_of(count: &mut usize) -> bool {
    *count = count.saturating_sub(1);
    *count == 0
}

#[cfg(test)]
#[path = "loads_tests.rs"]
mod tests;
