//! The counts of the whole fleet, kept as it changes: what changed is taken out of the sums and put in again.
//!
//! Equal to counting everything anew, always; how large the fleet is must not matter to whoever asks.

use super::{
    condition::{self, Pair},
    sums::{PairShare, Place, Share, Sums},
};
use gf_model::{
    AccountId, InstanceId, NodeId, OperationId,
    fleet::{Fleet, Key},
    instance::{Instance, InstanceState},
    node::Node,
    verb::Verb,
};
use hashbrown::HashMap;
use std::collections::{BTreeSet, HashSet};

#[derive(Debug, Default)]
pub struct Tally {
    sums: Sums,
    pairs: HashMap<AccountId, PairShare>,
    instances: HashMap<InstanceId, Counted>,
    /// Accounts that somebody may have to look at.
    troubled: BTreeSet<AccountId>,
    /// Nodes that enrolled and are not connected.
    away: BTreeSet<NodeId>,
    /// Instances on each node that are not being torn down.
    on_nodes: HashMap<NodeId, Vec<InstanceId>>,
    /// Whole pairs that go by an operation that runs.
    going: HashMap<OperationId, Vec<AccountId>>,
}

#[derive(Debug)]
struct Counted {
    share: Share,
    account: AccountId,
    node: Option<NodeId>,
}

impl Tally {
    /// Counts everything.
    pub fn of(fleet: &Fleet) -> Self {
        let mut tally = Self {
            pairs: HashMap::with_capacity(fleet.gateways.len()),
            instances: HashMap::with_capacity(fleet.instances.len()),
            ..Self::default()
        };
        for id in fleet.operations.keys() {
            tally.going(fleet, id);
        }
        fleet.live_instances().for_each(|instance| tally.count(instance));
        let away = fleet.nodes.values().filter(|node| is_away(node)).map(|node| node.id.clone());
        tally.away = away.collect();
        tally.accounts(fleet, fleet.gateways.keys());
        tally
    }

    /// Takes in that these objects changed. What they are now is looked up, so that being told twice is harmless.
    pub fn take_in<'k>(&mut self, fleet: &Fleet, keys: impl IntoIterator<Item = &'k Key>) {
        let mut touched = HashSet::new();
        for key in keys {
            match key {
                Key::Instance(id) => touched.extend(self.instance(fleet, id)),
                Key::Gateway(account) => drop(touched.insert(account.clone())),
                Key::Operation(id) => touched.extend(self.going(fleet, id)),
                Key::Node(id) => touched.extend(self.node(fleet, id)),
                _ => {}
            }
        }
        if !touched.is_empty() {
            self.accounts(fleet, touched.iter());
        }
    }

    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Pairs that somebody may have to look at, in the order of their names.
    pub fn troubled<'f>(&self, fleet: &'f Fleet) -> Vec<Pair<'f>> {
        let going = condition::teardowns(fleet);
        let gateways = self.troubled.iter().filter_map(|account| fleet.gateways.get(account));
        gateways.filter_map(|gateway| Pair::beside(&going, fleet, gateway)).collect()
    }

    /// Nodes that enrolled and are not connected, in the order of their names.
    pub fn away(&self) -> impl Iterator<Item = &NodeId> {
        self.away.iter()
    }

    /// How many instances are on a node, without those that are being torn down.
    pub fn on_node(&self, node: &NodeId) -> u64 {
        self.on_nodes.get(node).map_or(0, |there| there.len() as u64)
    }

    /// Answers with the accounts whose pair it may belong to, before and now.
    fn instance(&mut self, fleet: &Fleet, id: &InstanceId) -> Vec<AccountId> {
        let mut accounts = Vec::new();
        if let Some(before) = self.instances.remove(id) {
            self.sums.take_out(before.share);
            if let Some(there) = before.node.as_ref().and_then(|node| self.on_nodes.get_mut(node)) {
                there.retain(|other| other != id);
            }
            accounts.push(before.account);
        }
        if let Some(instance) = fleet.instances.get(id) {
            if accounts.first() != Some(&instance.account) {
                accounts.push(instance.account.clone());
            }
            if instance.state.exists() {
                self.count(instance);
            }
        }
        accounts
    }

    fn count(&mut self, instance: &Instance) {
        let place = Place { provider: instance.provider.clone(), region: instance.region.clone() };
        let share = self.sums.put_in(instance, place);
        let stays = instance.state != InstanceState::TearingDown;
        let node = instance.node.clone().filter(|_| stays);
        if let Some(node) = &node {
            self.on_nodes.entry(node.clone()).or_default().push(instance.id.clone());
        }
        self.instances
            .insert(instance.id.clone(), Counted { share, account: instance.account.clone(), node });
    }

    /// Answers with the accounts whose condition this may change.
    fn going(&mut self, fleet: &Fleet, id: &OperationId) -> Vec<AccountId> {
        let mut accounts = self.going.remove(id).unwrap_or_default();
        let open = fleet.operations.get(id).filter(|operation| !operation.state.is_over());
        if let Some(Verb::Teardown { accounts: torn, standby_only: false, .. }) = open.map(|open| &open.verb)
        {
            self.going.insert(id.clone(), torn.clone());
            accounts.extend(torn.iter().cloned());
        }
        accounts
    }

    /// Answers with the accounts whose protection this may change.
    fn node(&mut self, fleet: &Fleet, id: &NodeId) -> Vec<AccountId> {
        match fleet.nodes.get(id).is_some_and(is_away) {
            true => drop(self.away.insert(id.clone())),
            false => drop(self.away.remove(id)),
        }
        let there = self.on_nodes.get(id).into_iter().flatten();
        let accounts = there.filter_map(|id| self.instances.get(id)).map(|it| it.account.clone()).collect();
        if !fleet.nodes.contains_key(id) && self.on_nodes.get(id).is_some_and(Vec::is_empty) {
            self.on_nodes.remove(id);
        }
        accounts
    }

    fn accounts<'a>(&mut self, fleet: &Fleet, touched: impl Iterator<Item = &'a AccountId>) {
        let going: HashSet<&AccountId> = self.going.values().flatten().collect();
        for account in touched {
            if let Some(before) = self.pairs.remove(account) {
                self.sums.take_out_pair(&before);
            }
            let gateway = fleet.gateways.get(account);
            let pair = gateway.and_then(|gateway| Pair::beside(&going, fleet, gateway));
            let troubled = pair.as_ref().is_some_and(needs_a_look);
            if let Some(pair) = pair {
                let share = PairShare::of(&pair);
                self.sums.put_in_pair(&share);
                self.pairs.insert(account.clone(), share);
            }
            match troubled {
                true => drop(self.troubled.insert(account.clone())),
                false => drop(self.troubled.remove(account)),
            }
        }
    }
}

/// Whether it enrolled and is not connected.
fn is_away(node: &Node) -> bool {
    node.enrolled_at.is_some() && !node.connected
}

/// Whether anything about a pair could be an alert.
fn needs_a_look(pair: &Pair<'_>) -> bool {
    pair.condition.is_trouble()
        || pair.instances().any(|instance| instance.flagged.is_some() || instance.uncertain)
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
