//! Which pairs anything can be due for, kept as the fleet changes: a look at a fleet in which all is well costs what
//! changed since the last one, and not what there is.
//!
//! It decides nothing and must never leave out a pair for which a walk over the whole fleet would find something, at
//! whatever time: that pair's own records would have to change first, and then it is judged anew.

use crate::{decide, memory};
use gf_model::{
    AccountId, InstanceId, NodeId, SnapshotId, Timestamp,
    fleet::{Fleet, Key},
};
use gf_store::{FleetStore, Since};
use parking_lot::Mutex;
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

/// Shared by all reconcilers of a control plane; whoever looks first after a commit takes it in.
#[derive(Clone)]
pub(crate) struct Pairs(Arc<Mutex<State>>);

struct State {
    since: Since,
    /// `None` until somebody looks.
    index: Option<Index>,
}

impl Pairs {
    pub fn of(store: &FleetStore) -> Self {
        Self(Arc::new(Mutex::new(State { since: store.since(), index: None })))
    }

    /// Only inside of a read of the durable fleet: it knows what was committed, and not what is being decided.
    pub fn look<T>(&self, fleet: &Fleet, look: impl FnOnce(&Index) -> T) -> T {
        let State { since, index } = &mut *self.0.lock();
        // Asked also where nothing is known yet: what was committed until now is in the fleet.
        let known = index.take().zip(since.take()).map(|(mut index, keys)| {
            index.take_in(fleet, &keys);
            index
        });
        look(index.insert(known.unwrap_or_else(|| Index::of(fleet))))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    uneasy: BTreeSet<AccountId>,
    forgetful: BTreeSet<AccountId>,
    /// Primaries that can be copied, by when they last were.
    copied: BTreeSet<(Timestamp, AccountId)>,
    copied_at: HashMap<AccountId, Timestamp>,
    /// Whose halves a record may be about. Too many are harmless: what they are now is looked up.
    on_node: HashMap<NodeId, Vec<AccountId>>,
    of_instance: HashMap<InstanceId, AccountId>,
    of_snapshot: HashMap<SnapshotId, Vec<AccountId>>,
}

impl Index {
    /// Looks at everything.
    pub fn of(fleet: &Fleet) -> Self {
        let mut index = Self::default();
        fleet.gateways.keys().for_each(|account| index.judge(fleet, account));
        index
    }

    /// Takes in that these objects changed. Being told twice is harmless.
    pub fn take_in(&mut self, fleet: &Fleet, keys: &[Key]) {
        let mut touched = BTreeSet::new();
        for key in keys {
            match key {
                Key::Gateway(account) => drop(touched.insert(account.clone())),
                Key::Instance(id) => touched.extend(self.of_instance.get(id).cloned()),
                Key::Snapshot(id) => touched.extend(self.of_snapshot.get(id).into_iter().flatten().cloned()),
                Key::Node(id) => touched.extend(self.on_node.get(id).into_iter().flatten().cloned()),
                _ => {}
            }
            if let Key::Snapshot(id) = key
                && !fleet.snapshots.contains_key(id)
            {
                self.of_snapshot.remove(id);
            }
        }
        touched.iter().for_each(|account| self.judge(fleet, account));
    }

    /// Pairs that are not whole and well, in the order of their names.
    pub fn uneasy(&self) -> impl Iterator<Item = &AccountId> {
        self.uneasy.iter()
    }

    /// Pairs whose standby may know less than the newest snapshot, in the order of their names.
    pub fn forgetful(&self) -> impl Iterator<Item = &AccountId> {
        self.forgetful.iter()
    }

    /// Pairs whose primary was not copied for so long, in the order of their names.
    pub fn copied_long_ago(&self, now: Timestamp, every: Duration) -> BTreeSet<&AccountId> {
        let is_due = |(at, _): &&(Timestamp, AccountId)| memory::is_long_ago(*at, now, every);
        let past = self.copied.iter().take_while(is_due);
        // Under a clock that was far ahead.
        let future = self.copied.iter().rev().take_while(is_due);
        past.chain(future).map(|(_, account)| account).collect()
    }

    fn judge(&mut self, fleet: &Fleet, account: &AccountId) {
        let gateway = fleet.gateways.get(account);
        if let Some(gateway) = gateway {
            for id in gateway.primary.iter().chain(&gateway.standby) {
                self.of_instance.insert(id.clone(), account.clone());
                let instance = fleet.instances.get(id);
                if let Some(node) = instance.and_then(|instance| instance.node.as_ref()) {
                    note(&mut self.on_node, node, account);
                }
                let remembers = instance.and_then(|instance| instance.remembers.as_ref());
                for snapshot in remembers.into_iter().chain(&gateway.last_snapshot) {
                    note(&mut self.of_snapshot, snapshot, account);
                }
            }
        }
        let is_uneasy = gateway.is_some_and(|gateway| !decide::is_at_ease(fleet, gateway));
        mark(&mut self.uneasy, account, is_uneasy);
        let is_forgetful = gateway.is_some_and(|gateway| memory::knows_less(fleet, gateway).is_some());
        mark(&mut self.forgetful, account, is_forgetful);
        let copied = gateway.and_then(|gateway| memory::copied_at(fleet, gateway));
        let before = self.copied_at.get(account).copied();
        if copied != before {
            if let Some(at) = before {
                self.copied.remove(&(at, account.clone()));
                self.copied_at.remove(account);
            }
            if let Some(at) = copied {
                self.copied.insert((at, account.clone()));
                self.copied_at.insert(account.clone(), at);
            }
        }
    }
}

/// Most have one.
fn note<K: Clone + Eq + Hash>(all: &mut HashMap<K, Vec<AccountId>>, key: &K, account: &AccountId) {
    let known = match all.get_mut(key) {
        Some(known) => known,
        None => all.entry(key.clone()).or_insert_with(|| Vec::with_capacity(1)),
    };
    if !known.contains(account) {
        known.push(account.clone());
    }
}

fn mark(all: &mut BTreeSet<AccountId>, account: &AccountId, is_in: bool) {
    if !is_in {
        all.remove(account);
    } else if !all.contains(account) {
        all.insert(account.clone());
    }
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
