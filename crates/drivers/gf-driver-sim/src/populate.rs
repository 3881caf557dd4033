//! A fleet that is there already: the records of a mixed fleet, and living machines behind any fleet's records.
//!
//! It writes nothing: whoever asked commits the changes at once, for the nodes in them connect a second later.

use crate::{
    SimFleet,
    catalogue::Manner,
    document::Document,
    driver::{endpoint_of, node_of, place_of},
    generate::Generator,
    host::Host,
    instance::{Phase, SimInstance},
    machine::{PORT, Saved},
    session::key_of,
    vault::Kept,
};
use gf_model::{
    Timestamp,
    fleet::{Change, Fleet, Record},
    gateway::Gateway,
    instance::{Instance, InstanceState, Role},
    node::Node,
    provider::Provider,
};
use gf_node_proto::FailureReason;
use gf_planner::fixture;
use serde_json::json;

/// What every instance of a populated fleet is configured with, before any revision.
fn configuration() -> serde_json::Value {
    json!({
        "agents": {"defaults": {"model": {"primary": "claw-brain/companion"}, "workspace": "workspace"}},
        "gateway": {"mode": "local", "auth": {"mode": "token"}},
        "session": {"dmScope": "per-channel-peer"},
    })
}

impl SimFleet {
    /// A fleet of this many pairs that has been running for a while: its records, and its machines. With 847
    /// it is the fixture whose every number is known.
    pub fn populate(&self, pairs: usize, now: Timestamp) -> Vec<Change> {
        let changes = match pairs {
            fixture::PAIRS => {
                let used = fixture::records_of_use(now).into_iter().map(Change::from);
                records(fixture::fleet(now)).into_iter().chain(used).collect()
            }
            _ => Generator { chance: self.world.chance(), now }.fleet(pairs),
        };
        self.adopt(changes, now)
    }

    /// Brings the instances in these records to life at the simulated providers, and returns the records with
    /// the nodes added that they are on. Instances that exist already, or are at other providers, are left alone.
    pub fn adopt(&self, changes: Vec<Change>, now: Timestamp) -> Vec<Change> {
        let mut fleet = Fleet::default();
        changes.iter().cloned().for_each(|change| fleet.apply(change));
        let mut adopted = Vec::with_capacity(changes.len() + fleet.instances.len());
        let mut machines = Vec::new();
        for change in changes {
            match change {
                Change::Put(Record::Instance(instance)) if lives_here(&instance) => {
                    let node = node_of(&instance.provider, &instance.id);
                    adopted.push(self.node_record(&instance, now).into());
                    if self.world.machine(&node).is_none() {
                        machines.push(self.world.insert(self.machine_for(&instance, &fleet), true));
                    }
                    let endpoint = Some(endpoint_of(&instance.provider, &instance.id));
                    let place = Some(place_of(self.world.chance(), &node));
                    adopted.push(Instance { place, node: Some(node), endpoint, ..instance }.into());
                }
                Change::Put(Record::Gateway(gateway)) => {
                    let primary = gateway.primary.as_ref().and_then(|id| fleet.instances.get(id));
                    let endpoint = primary.filter(|primary| lives_here(primary));
                    let endpoint = endpoint.map(|primary| endpoint_of(&primary.provider, &primary.id));
                    adopted
                        .push(Gateway { endpoint: endpoint.or(gateway.endpoint.clone()), ..gateway }.into());
                }
                // What is sold is the catalogue's to say; what was decided and measured is the records'.
                Change::Put(Record::Provider(known)) => match Manner::of(&known.id) {
                    Some(manner) => adopted.push(offer(manner, known).into()),
                    None => adopted.push(known.into()),
                },
                other => adopted.push(other),
            }
        }
        for machine in &machines {
            self.world.connect_soon(machine);
        }
        adopted
    }

    fn node_record(&self, instance: &Instance, now: Timestamp) -> Node {
        let id = node_of(&instance.provider, &instance.id);
        Node {
            public_key: hex::encode(key_of(self.world.seed(), id.as_str()).verifying_key().as_bytes()),
            id,
            provider: instance.provider.clone(),
            region: instance.region.clone(),
            enrol_token_sha256: None,
            enrolled_at: Some(instance.created_at),
            connected: false,
            last_change: now,
            software: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    fn machine_for(&self, instance: &Instance, fleet: &Fleet) -> Saved {
        let node = node_of(&instance.provider, &instance.id);
        let gateway = fleet.gateways.get(&instance.account);
        let snapshot = fleet.newest_snapshot(&instance.account);
        if let (Role::Primary, Some(snapshot)) = (instance.role, snapshot) {
            let path = snapshot.location.as_str().into();
            self.world.keep(Kept { path, account: instance.account.as_str().into(), memory: 1 });
        }
        let mut host = Host::default();
        let owned = gateway.map(|gateway| &gateway.owned).filter(|owned| owned.is_object());
        let revision = instance.revision.map(|revision| revision.to_string()).unwrap_or_default();
        if let Some(document) = document(owned, &revision) {
            let phase = match instance.state {
                InstanceState::Stopped => Phase::Stopped,
                InstanceState::Parked => Phase::Parked,
                InstanceState::Failed => Phase::Failed,
                _ => Phase::Serving,
            };
            host.instances.push(SimInstance {
                id: instance.id.as_str().into(),
                account: instance.account.as_str().into(),
                primary: instance.role == Role::Primary,
                tier: instance.tier,
                phase,
                generation: instance.generation.0,
                port: PORT,
                channels_open: instance.channels_on,
                document,
                memory: 1,
                last_snapshot: snapshot.map(|snapshot| (snapshot.id.as_str().into(), 1)),
                boots: 1,
                last_boot_ms: instance.last_boot_ms.and_then(|ms| u32::try_from(ms).ok()).unwrap_or(11_000),
                deaths_ms: Vec::new(),
                broken: if phase == Phase::Failed { FailureReason::ExitsAtOnce.into() } else { 0 },
                sick: instance.state == InstanceState::Degraded,
                lease: None,
            });
        }
        Saved {
            place: place_of(self.world.chance(), &node),
            node,
            provider: instance.provider.clone(),
            region: instance.region.clone(),
            label: Some(instance.id.clone()),
            order: None,
            token: None,
            control: None,
            powered: true,
            host,
        }
    }
}

fn offer(manner: &Manner, known: Provider) -> Provider {
    let sold = manner.provider();
    Provider {
        name: sold.name,
        driver: sold.driver,
        regions: sold.regions,
        prices: sold.prices,
        setup_fee: sold.setup_fee,
        ..known
    }
}

fn records(fleet: Fleet) -> Vec<Change> {
    let Fleet { accounts, gateways, instances, providers, .. } = fleet;
    let mut changes: Vec<Change> = providers.into_values().map(Change::from).collect();
    changes.extend(accounts.into_values().map(Change::from));
    changes.extend(gateways.into_values().map(Change::from));
    changes.extend(instances.into_values().map(Change::from));
    changes
}

fn lives_here(instance: &Instance) -> bool {
    instance.state.exists() && Manner::of(&instance.provider).is_some()
}

fn document(owned: Option<&serde_json::Value>, revision: &str) -> Option<Document> {
    let (base, owned) = (configuration().to_string(), owned.map(ToString::to_string).unwrap_or_default());
    // What OpenClaw would refuse was never taken by a real instance either.
    Document::new(&base, &owned, revision).or_else(|_| Document::new(&base, "", "")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_sells_what_the_catalogue_does() {
        for provider in fixture::providers() {
            let sold = Manner::of(&provider.id).map(Manner::provider).unwrap();
            assert_eq!((&sold.name, &sold.prices), (&provider.name, &provider.prices));
            for offer in &provider.regions {
                assert!(sold.regions.contains(offer), "{} in {}", offer.title, provider.id);
            }
        }
    }
}
