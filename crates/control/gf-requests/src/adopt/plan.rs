//! What would be taken in: a pure function of the fleet as it is stored and of what was seen.
//!
//! Where the two differ, what was seen holds, and everything that cannot be known from it is named. Of two instances that
//! both say that they are the primary under one generation neither is believed.

mod pairs;

use gf_model::{
    AccountId, Cents, InstanceId, NodeId, Tier, Timestamp,
    fleet::{Account, Change, Fleet},
    instance::{Instance, InstanceState, Role},
    node::Node,
    person::Principal,
    provider::{Provider, ProviderId, Region},
    revision::Revision,
};
use gf_operations::sighting::{Place, Running, Sighted};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What a person is shown, and what is written when they agree.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// One for each thing that becomes otherwise.
    pub lines: Vec<String>,
    /// What cannot be known, and what a person may do about it.
    pub unknown: Vec<String>,
    pub accounts: BTreeSet<AccountId>,
    /// Of all that is shown: who agrees agrees to this.
    pub digest: String,
    #[serde(skip)]
    pub changes: Vec<Change>,
}

pub fn plan(fleet: &Fleet, seen: &Sighted, now: Timestamp) -> Adoption {
    let mut work = Work::of(fleet, seen, now);
    work.take_in_places();
    work.take_in_idle_nodes();
    work.let_go_of_what_is_gone();
    for account in std::mem::take(&mut work.touched) {
        work.pair(&account);
        work.accounts.insert(account);
    }
    work.revisions();
    work.name_what_no_node_knows();
    let mut hasher = Sha256::new();
    for line in work.lines.iter().chain(&work.unknown) {
        hasher.update(line);
        hasher.update([0]);
    }
    let digest = hex::encode(&hasher.finalize()[..8]);
    let Work { lines, unknown, accounts, changes, .. } = work;
    Adoption { lines, unknown, accounts, digest, changes }
}

struct Work<'a> {
    fleet: &'a Fleet,
    seen: &'a Sighted,
    now: Timestamp,
    /// The fleet with what was decided so far.
    then: Fleet,
    changes: Vec<Change>,
    lines: Vec<String>,
    unknown: Vec<String>,
    touched: BTreeSet<AccountId>,
    accounts: BTreeSet<AccountId>,
    made: usize,
}

impl<'a> Work<'a> {
    fn of(fleet: &'a Fleet, seen: &'a Sighted, now: Timestamp) -> Self {
        Self {
            fleet,
            seen,
            now,
            then: fleet.clone(),
            changes: Vec::new(),
            lines: Vec::new(),
            unknown: Vec::new(),
            touched: BTreeSet::new(),
            accounts: BTreeSet::new(),
            made: 0,
        }
    }

    fn put(&mut self, change: impl Into<Change>) {
        let change = change.into();
        self.then.apply(change.clone());
        self.changes.push(change);
    }

    fn take_in_places(&mut self) {
        let seen = self.seen;
        for (provider, listed) in &seen.places {
            match listed {
                Ok(places) => places.iter().for_each(|place| self.place(place)),
                Err(why) => {
                    let here = |instance: &&Instance| instance.provider == *provider;
                    let count = self.fleet.live_instances().filter(here).count();
                    self.unknown.push(format!(
                        "what {provider} has: {why}; the {count} instances that are known there stay as they are"
                    ));
                }
            }
        }
    }

    fn place(&mut self, place: &Place) {
        let known = self.fleet.instances.get(&place.label);
        // What was being taken down when the store was kept is taken down again.
        if known
            .is_some_and(|known| matches!(known.state, InstanceState::Deleted | InstanceState::TearingDown))
        {
            return;
        }
        let running = self.seen.instances.get(&place.label);
        match (known, running) {
            (Some(known), running) => self.known(known.clone(), place, running),
            (None, Some(Running { account: Some(account), role: Some(role), .. })) => {
                self.found(place, account.clone(), *role);
            }
            (None, _) => {
                self.unknown.push(format!(
                    "whose {} at {} is: its node {} does not say it; start that node and look again, or look at it there",
                    place.label, place.provider, place.node
                ));
                return;
            }
        }
        self.node(place);
    }

    /// One that the store knows: what its node says of it holds.
    fn known(&mut self, known: Instance, place: &Place, running: Option<&Running>) {
        let mut instance = known.clone();
        instance.place = Some(place.id.clone());
        instance.node = Some(place.node.clone());
        instance.endpoint = place.endpoint.clone().or(instance.endpoint);
        if let Some(running) = running {
            self.says(&mut instance, running);
        }
        if instance == known {
            return;
        }
        let moved = (instance.role, instance.generation) != (known.role, known.generation);
        if moved {
            self.lines.push(format!(
                "{} of {} is {} under {}; the store says {} under {}",
                instance.id,
                instance.account,
                name(instance.role),
                instance.generation,
                name(known.role),
                known.generation
            ));
        } else if instance.revision != known.revision {
            let told = |revision: Option<gf_model::RevisionId>| {
                revision.map_or_else(|| "none".to_owned(), |revision| revision.to_string())
            };
            self.lines.push(format!(
                "{} of {} has revision {}; the store says {}",
                instance.id,
                instance.account,
                told(instance.revision),
                told(known.revision)
            ));
        }
        self.touched.insert(instance.account.clone());
        self.put(instance);
    }

    fn says(&self, instance: &mut Instance, running: &Running) {
        instance.role = running.role.unwrap_or(instance.role);
        instance.generation = instance.generation.max(running.generation);
        instance.channels_on = running.channels_on;
        instance.lease_terms = instance.lease_terms.max(running.lease_terms);
        instance.revision = running.revision;
        instance.tier = running.tier.unwrap_or(instance.tier);
    }

    fn found(&mut self, place: &Place, account: AccountId, role: Role) {
        let Some(running) = self.seen.instances.get(&place.label) else { return };
        let now = self.now;
        let tier = running.tier.unwrap_or_else(|| {
            self.unknown.push(format!(
                "the tier of {}: its node is of a version that does not say it; standard is taken",
                place.label
            ));
            Tier::Standard
        });
        let listed = Cents(tier.list_price().0 / 2);
        let provider = self.fleet.providers.get(&place.provider);
        let price = provider.and_then(|provider| provider.prices.get(&tier).copied()).unwrap_or(listed);
        let mut instance = Instance {
            id: place.label.clone(),
            account: account.clone(),
            role,
            state: running.state,
            state_since: now,
            uncertain: false,
            waits_to_boot: false,
            tier,
            provider: place.provider.clone(),
            region: place.region.clone(),
            monthly_cost: price,
            place: Some(place.id.clone()),
            node: Some(place.node.clone()),
            endpoint: place.endpoint.clone(),
            generation: running.generation,
            channels_on: running.channels_on,
            lease_terms: 0,
            health: None,
            last_boot_ms: running.last_boot_ms,
            restarts: Vec::new(),
            revision: None,
            remembers: None,
            flagged: None,
            created_at: now,
            active_at: (running.state == InstanceState::Active).then_some(now),
        };
        self.says(&mut instance, running);
        self.lines.push(format!(
            "{} at {} in {} is the {} of {account}, {tier}, {}",
            instance.id,
            instance.provider,
            instance.region,
            name(role),
            instance.generation
        ));
        if !self.then.accounts.contains_key(&account) {
            self.made += 1;
            self.put(Account { id: account.clone(), channels: Vec::new(), created_at: now });
        }
        self.touched.insert(account);
        self.put(instance);
    }

    fn node(&mut self, place: &Place) {
        self.node_of(&place.node, &place.provider, &place.region);
    }

    /// A machine that is there for whoever comes, and on which nobody is.
    fn take_in_idle_nodes(&mut self) {
        let seen = self.seen;
        for (id, node) in &seen.nodes {
            let provider = self.fleet.providers.get(&ProviderId(node.provider.as_str().into()));
            // Where there are several, nothing tells which of them it is in.
            let Some(Provider { id: provider, regions, .. }) = provider else { continue };
            if let [only] = regions.as_slice() {
                self.node_of(id, provider, &only.region);
            }
        }
    }

    fn node_of(&mut self, id: &NodeId, provider: &ProviderId, region: &Region) {
        if self.then.nodes.contains_key(id) {
            return;
        }
        let seen = self.seen.nodes.get(id);
        match seen {
            Some(node) => self.lines.push(format!(
                "{id} is a node of {provider} in {region}, known by the key {}…",
                node.key.get(..16).unwrap_or(&node.key)
            )),
            None => self.unknown.push(format!(
                "the key of {id}: it is not connected; give it a new enrolment token when it is back"
            )),
        }
        self.put(Node {
            id: id.clone(),
            provider: provider.clone(),
            region: region.clone(),
            public_key: seen.map(|node| node.key.clone()).unwrap_or_default(),
            enrol_token_sha256: None,
            enrolled_at: seen.map(|_| self.now),
            connected: seen.is_some(),
            last_change: self.now,
            software: seen.map(|node| node.software.clone()),
        });
    }

    /// What a provider that answered does not have any more. What is on its way is left to the operation that ordered it.
    fn let_go_of_what_is_gone(&mut self) {
        let there: BTreeMap<_, BTreeSet<&InstanceId>> = self
            .seen
            .places
            .iter()
            .filter_map(|(provider, listed)| {
                Some((provider, listed.as_ref().ok()?.iter().map(|place| &place.label).collect()))
            })
            .collect();
        let is_gone = |instance: &&Instance| {
            let settled = !instance.uncertain
                && !matches!(instance.state, InstanceState::Creating | InstanceState::TearingDown);
            settled && there.get(&instance.provider).is_some_and(|labels| !labels.contains(&instance.id))
        };
        let gone: Vec<Instance> = self.fleet.live_instances().filter(is_gone).cloned().collect();
        for mut instance in gone {
            self.lines.push(format!(
                "{} of {} is gone from {}: it is written down as deleted",
                instance.id, instance.account, instance.provider
            ));
            instance.state = InstanceState::Deleted;
            instance.state_since = self.now;
            instance.channels_on = false;
            self.touched.insert(instance.account.clone());
            self.put(instance);
        }
    }

    /// A number that is used already must not be given to another revision.
    fn revisions(&mut self) {
        let used: BTreeSet<_> = self.seen.instances.values().filter_map(|running| running.revision).collect();
        for id in used.into_iter().filter(|id| !self.fleet.revisions.contains_key(id)) {
            self.unknown.push(format!("what {id} changed: instances have it, and only its number is kept"));
            self.put(Revision {
                id,
                description: "taken over from instances that have it".to_owned(),
                patch: Value::Null,
                digest: hex::encode(Sha256::digest("null")),
                created_at: self.now,
                created_by: Principal::Service("adoption".to_owned()),
            });
        }
    }

    fn name_what_no_node_knows(&mut self) {
        if self.made > 0 {
            self.unknown.push(format!(
                "of {} accounts that were not in the store: their channels and secrets, purpose, snapshots and archives, \
                 and since when they exist",
                self.made
            ));
        }
        if self.fleet.gateways.is_empty() {
            self.unknown.push(
                "people besides this home's first admin, their rules and schedules, and the audit trail until now".into(),
            );
        }
    }
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Primary => "PRIMARY",
        Role::Standby => "STANDBY",
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
