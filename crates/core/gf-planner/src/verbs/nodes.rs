//! Nodes that become another release of gf-clawnode, in rings.

use super::{distinct, plural};
use crate::{
    PlanError,
    draft::{Draft, GATE_PERCENT},
};
use gf_model::{
    AccountId, NodeId,
    fleet::Fleet,
    instance::{Instance, Role},
    operation::{Lane, Stage, Step},
    release::Release,
    verb::Pace,
};
use std::collections::{HashMap, HashSet, VecDeque};

/// Nodes of one ring that change at the same time: each takes a release over its link.
const AT_ONCE: u32 = 20;
const LARGEST_RING: i64 = 1000;

pub(super) fn update(
    draft: &mut Draft<'_>,
    nodes: &[NodeId],
    release: &Release,
    ring_size: u32,
    pace: &Pace,
) -> Result<(), PlanError> {
    let sizes = pace.canary.iter().copied().chain([ring_size]);
    if let Some(given) = sizes.map(i64::from).find(|given| !(1..=LARGEST_RING).contains(given)) {
        return Err(PlanError::OutOfRange { field: "ringSizes", given, min: 1, max: LARGEST_RING });
    }
    let mut there = by_node(draft.fleet);
    let (mut machines, mut left_out) = (Vec::new(), None);
    for id in distinct(nodes).iter() {
        let instances = there.remove(id).unwrap_or_default();
        match why_not(draft, id, release, &instances) {
            None => machines.push(Machine { node: id.clone(), instances }),
            Some(why) => {
                let why = format!("{id} is left out: {why}");
                draft.warn(&why);
                left_out.get_or_insert(why);
            }
        }
    }
    if machines.is_empty() {
        return Err(match left_out {
            Some(why) => PlanError::NothingToDo { what: "the update of nodes", why },
            None => PlanError::NothingMatches { what: "a node".into() },
        });
    }
    let (count, running) = (machines.len(), machines.iter().map(|machine| machine.instances.len()).sum());
    let sizes = pace.canary.iter().copied().chain(std::iter::repeat(ring_size));
    let rings = rings(machines, sizes.map(|size| size as usize));
    let in_each: Vec<_> = rings.iter().map(|ring| ring.len().to_string()).collect();
    for (number, ring) in rings.into_iter().enumerate() {
        let lanes = ring.into_iter().map(|machine| lane(machine, release)).collect();
        let mut stage = Stage::new(format!("ring {number}"), AT_ONCE, lanes);
        stage.fail_above_percent = GATE_PERCENT;
        draft.plan.stages.push(stage);
    }
    draft.line(format!(
        "gf-clawnode {} to {}, in rings of {}; {} on them run on",
        release.version,
        plural(count, "node"),
        in_each.join(", "),
        plural(running, "instance")
    ));
    draft.line("standbys before primaries, and never both machines of a pair in one ring");
    draft.line(format!(
        "each ring must be back on {} with its instances well {} s after its last node, or it is put back and no other begins",
        release.version, pace.settle_seconds
    ));
    Ok(())
}

fn by_node(fleet: &Fleet) -> HashMap<&NodeId, Vec<&Instance>> {
    let mut there: HashMap<&NodeId, Vec<&Instance>> = HashMap::new();
    for instance in fleet.live_instances() {
        if let Some(node) = &instance.node {
            there.entry(node).or_default().push(instance);
        }
    }
    there
}

fn why_not(draft: &Draft<'_>, id: &NodeId, release: &Release, instances: &[&Instance]) -> Option<String> {
    let Some(node) = draft.fleet.nodes.get(id) else { return Some("there is no such node".into()) };
    let Some(software) = node.software.as_ref().filter(|_| node.connected) else {
        return Some("it is not connected".into());
    };
    match release.is_newer_than(software) {
        Some(true) => {}
        Some(false) if *software == release.version => return Some(format!("it runs {software} already")),
        _ => return Some(format!("it runs {software}, and only a rollback goes back")),
    }
    // Whose pair's other machine it is will be known once it has its instance.
    let is_coming = |instance: &&Instance| {
        instance.node.is_none() && instance.provider == node.provider && instance.region == node.region
    };
    if instances.is_empty()
        && let Some(coming) = draft.fleet.live_instances().find(is_coming)
    {
        return Some(format!("{} is being made there, maybe on it", coming.id));
    }
    instances.iter().find_map(|instance| {
        let gateway = draft.fleet.gateways.get(&instance.account)?;
        let why = gateway.upkeep.against_a_rollout(draft.now)?;
        Some(format!("{} is on it; {why}", instance.account))
    })
}

fn lane(machine: Machine<'_>, release: &Release) -> Lane {
    let Machine { node, instances } = machine;
    let instances = instances.into_iter().map(|instance| instance.id.clone()).collect();
    let target = node.to_string();
    Lane::new(target, vec![Step::UpdateNode { node, version: release.version.clone(), instances }])
}

struct Machine<'a> {
    node: NodeId,
    instances: Vec<&'a Instance>,
}

impl Machine<'_> {
    fn primaries(&self) -> usize {
        self.instances.iter().filter(|instance| instance.role == Role::Primary).count()
    }

    fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.instances.iter().map(|instance| &instance.account)
    }
}

/// Rings of at most these sizes. Who has the fewest primaries comes first; whose pair's other machine is in a ring already
/// waits for the next.
fn rings(mut machines: Vec<Machine<'_>>, sizes: impl Iterator<Item = usize>) -> Vec<Vec<Machine<'_>>> {
    machines.sort_by_cached_key(|machine| (machine.primaries(), machine.node.clone()));
    let mut waiting: VecDeque<_> = machines.into();
    let mut rings = Vec::new();
    for size in sizes {
        let (mut ring, mut held, mut later) = (Vec::new(), HashSet::new(), Vec::new());
        while ring.len() < size
            && let Some(machine) = waiting.pop_front()
        {
            if machine.accounts().any(|account| held.contains(account)) {
                later.push(machine);
                continue;
            }
            held.extend(machine.accounts().cloned());
            ring.push(machine);
        }
        later.into_iter().rev().for_each(|machine| waiting.push_front(machine));
        if ring.is_empty() {
            break;
        }
        rings.push(ring);
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdSource;
    use gf_model::{Tier, Timestamp, node::Node, verb::Verb};

    struct NoIds;

    impl IdSource for NoIds {
        fn next_u64(&mut self) -> u64 {
            unreachable!("an update of nodes makes nothing")
        }
    }

    fn instance(account: &str, role: Role) -> Instance {
        let (id, account) = (format!("i-{account}").parse().unwrap(), account.parse().unwrap());
        Instance::new(id, account, role, Tier::Standard, "a".into(), "r".into(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn both_machines_of_a_pair_are_in_different_rings_and_primaries_come_last() {
        let halves = [
            [instance("0001", Role::Primary), instance("0002", Role::Standby)],
            [instance("0002", Role::Primary), instance("0001", Role::Standby)],
            [instance("0003", Role::Standby), instance("0004", Role::Standby)],
        ];
        let machine = |at: usize| Machine {
            node: format!("node-{at}").parse().unwrap(),
            instances: halves[at].iter().collect(),
        };
        let names = |sizes: &[usize]| {
            let rings =
                rings((0..3).map(machine).collect(), sizes.iter().copied().chain(std::iter::repeat(9)));
            let named =
                |ring: Vec<Machine<'_>>| ring.iter().map(|one| one.node.to_string()).collect::<Vec<_>>();
            rings.into_iter().map(named).collect::<Vec<_>>()
        };
        assert_eq!(names(&[1]), [vec!["node-2"], vec!["node-0"], vec!["node-1"]]);
        // There is room for all, and two of them are each other's pairs.
        assert_eq!(names(&[]), [vec!["node-2", "node-0"], vec!["node-1"]]);
    }
    #[test]
    fn a_node_on_which_an_instance_may_be_coming_is_left_out() {
        let id: NodeId = "node-a".parse().unwrap();
        let node = Node {
            id: id.clone(),
            provider: "a".into(),
            region: "r".into(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected: true,
            last_change: Timestamp::UNIX_EPOCH,
            software: Some("0.1.0".to_owned()),
        };
        let mut fleet = Fleet::default();
        fleet.apply(node.into());
        let (size, sha256, signature) = (1, "00".repeat(32), "00".repeat(64));
        let release = Release { version: "0.2.0".to_owned(), sha256, size, signature };
        let (ring_size, pace) = (1, Pace::gated(Vec::new()));
        let verb = Verb::UpdateNodes { nodes: vec![id.clone()], release, ring_size, pace };
        assert!(crate::plan(&fleet, &verb, &mut NoIds, Timestamp::UNIX_EPOCH).is_ok());

        let mut coming = instance("0001", Role::Standby);
        fleet.apply(coming.clone().into());
        let refused = crate::plan(&fleet, &verb, &mut NoIds, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(refused.to_string().contains("i-0001 is being made there"), "{refused}");
        coming.node = Some(id);
        fleet.apply(coming.into());
        assert!(crate::plan(&fleet, &verb, &mut NoIds, Timestamp::UNIX_EPOCH).is_ok());
    }
}
