//! What a heartbeat says that an earlier one did not.

use gf_node_proto::{Heartbeat, InstanceSummary, Resources};
use std::collections::BTreeMap;

/// How a node is: what it runs, and how full its machine is.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub instances: Vec<InstanceSummary>,
    pub resources: Option<Resources>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delta {
    pub changed: Vec<InstanceSummary>,
    pub gone: Vec<String>,
    pub resources: Option<Resources>,
}

impl Reading {
    /// The newer one takes the place of this. Of a list that a heartbeat brought only what is in it is kept: it was
    /// grown for four instances, and most machines run one.
    pub(crate) fn becomes(&mut self, heartbeat: Heartbeat) {
        self.resources = heartbeat.resources;
        self.instances.clear();
        self.instances.reserve_exact(heartbeat.instances.len());
        self.instances.extend(heartbeat.instances);
    }

    /// The difference; `None` where nobody needs to know.
    pub(crate) fn until(&self, now: &Heartbeat) -> Option<Delta> {
        let moved = now.resources.as_ref().map(pressure) != self.resources.as_ref().map(pressure);
        let (changed, gone) = match same_instances(&self.instances, &now.instances) {
            true => {
                let pairs = self.instances.iter().zip(&now.instances);
                (
                    pairs.filter(|(was, now)| matters(was, now)).map(|(_, now)| now.clone()).collect(),
                    Vec::new(),
                )
            }
            false => self.compared(&now.instances),
        };
        let quiet: bool = changed.is_empty() && gone.is_empty() && !moved;
        (!quiet).then(|| Delta { changed, gone, resources: now.resources.clone() })
    }

    fn compared(&self, now: &[InstanceSummary]) -> (Vec<InstanceSummary>, Vec<String>) {
        let mut before: BTreeMap<&str, &InstanceSummary> =
            self.instances.iter().map(|was| (was.instance_id.as_str(), was)).collect();
        let mut changed = Vec::new();
        for now in now {
            let was = before.remove(now.instance_id.as_str());
            if was.is_none_or(|was| matters(was, now)) {
                changed.push(now.clone());
            }
        }
        (changed, before.into_keys().map(str::to_owned).collect())
    }
}

/// As nearly always: the same ones in the same order.
fn same_instances(was: &[InstanceSummary], now: &[InstanceSummary]) -> bool {
    was.len() == now.len() && was.iter().zip(now).all(|(was, now)| was.instance_id == now.instance_id)
}

/// Whether somebody must know. Memory and a measurement's digits move all the time and do not matter.
fn matters(was: &InstanceSummary, now: &InstanceSummary) -> bool {
    // Every field by name, so that a new one cannot be forgotten here.
    let InstanceSummary {
        memory_bytes: _,
        observation: _,
        instance_id,
        account,
        role,
        state,
        generation,
        port,
        pid,
        health_score,
        failing_checks,
        restarts_in_window,
        revision,
        channels_open,
        last_snapshot,
        last_boot_ms,
        openclaw_version,
        failure,
        failure_detail,
        owned_hash,
        drifted,
        waits_to_boot,
        lease_terms,
        lease_lapsed,
        tier,
    } = was;
    let numbers = (*role, *state, *generation, *port, *pid, *health_score)
        == (now.role, now.state, now.generation, now.port, now.pid, now.health_score);
    let more = (*restarts_in_window, *channels_open, *last_boot_ms, *failure, *waits_to_boot)
        == (now.restarts_in_window, now.channels_open, now.last_boot_ms, now.failure, now.waits_to_boot)
        && (*lease_terms, *lease_lapsed) == (now.lease_terms, now.lease_lapsed);
    let names = *instance_id == now.instance_id
        && *account == now.account
        && *tier == now.tier
        && *revision == now.revision
        && *last_snapshot == now.last_snapshot
        && *openclaw_version == now.openclaw_version
        && *owned_hash == now.owned_hash;
    let words = *failing_checks == now.failing_checks
        && *failure_detail == now.failure_detail
        && *drifted == now.drifted;
    !(numbers && more && names && words)
}

/// How full disk and memory are, in steps coarse enough to stay put while nothing happens.
fn pressure(resources: &Resources) -> (u64, u64) {
    let used = |total: u64, available: u64| match total {
        0 => 0,
        _ => (total.saturating_sub(available)).saturating_mul(20) / total,
    };
    (
        used(resources.disk_total_bytes, resources.disk_available_bytes),
        used(resources.memory_total_bytes, resources.memory_available_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::InstanceState;

    fn beat(instances: Vec<InstanceSummary>) -> Heartbeat {
        Heartbeat { at_ms: 1, resources: None, instances, ..Heartbeat::default() }
    }

    fn instance(id: &str, state: InstanceState, memory_bytes: u64) -> InstanceSummary {
        InstanceSummary {
            instance_id: id.into(),
            state: state.into(),
            memory_bytes,
            ..InstanceSummary::default()
        }
    }

    fn names(delta: &Delta) -> (Vec<&str>, Vec<&str>) {
        let changed = delta.changed.iter().map(|instance| instance.instance_id.as_str());
        (changed.collect(), delta.gone.iter().map(String::as_str).collect())
    }

    #[test]
    fn only_what_changed_is_told() {
        let up = |id, memory| instance(id, InstanceState::Active, memory);
        let mut reading = Reading::default();
        assert_eq!(reading.until(&beat(vec![])), None);
        let first = beat(vec![up("i-2", 1), up("i-1", 1)]);
        assert_eq!(names(&reading.until(&first).unwrap()), (vec!["i-2", "i-1"], vec![]));
        reading.becomes(first);

        assert_eq!(reading.until(&beat(vec![up("i-2", 2), up("i-1", 9)])), None, "memory moves all the time");
        assert_eq!(reading.until(&beat(vec![up("i-1", 1), up("i-2", 2)])), None, "nor does the order matter");
        let failed = beat(vec![up("i-2", 1), instance("i-1", InstanceState::Failed, 1)]);
        assert_eq!(names(&reading.until(&failed).unwrap()), (vec!["i-1"], vec![]));
        let other = beat(vec![up("i-3", 1)]);
        assert_eq!(names(&reading.until(&other).unwrap()), (vec!["i-3"], vec!["i-1", "i-2"]));
    }

    #[test]
    fn a_disk_that_fills_is_told_and_a_few_bytes_are_not() {
        let with = |available| Heartbeat {
            resources: Some(Resources {
                disk_total_bytes: 1_000,
                disk_available_bytes: available,
                ..Resources::default()
            }),
            ..beat(vec![])
        };
        let mut reading = Reading::default();
        reading.becomes(with(500));
        assert_eq!(reading.until(&with(499)), None);
        assert_eq!(reading.until(&with(100)).unwrap().resources, with(100).resources);
    }
}
