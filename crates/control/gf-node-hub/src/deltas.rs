//! What a heartbeat says that the last one did not.

use gf_node_proto::{Heartbeat, InstanceSummary, Resources};
use std::collections::BTreeMap;

/// The last state of a node that the reconcilers were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Boxed, since a tree's node has room for eleven and most machines run one.
    instances: BTreeMap<String, Box<InstanceSummary>>,
    resources: Option<Resources>,
    ever: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Delta {
    pub changed: Vec<InstanceSummary>,
    pub gone: Vec<String>,
    pub resources: Option<Resources>,
}

impl Told {
    /// The difference, and `self` brought up to date; `None` where nobody needs to know.
    ///
    /// The first heartbeat of a connection always tells, even when it is empty: "it runs nothing" is news.
    pub(crate) fn take(&mut self, heartbeat: Heartbeat) -> Option<Delta> {
        let mut before = std::mem::take(&mut self.instances);
        let mut changed = Vec::new();
        for now in heartbeat.instances {
            let was = before.remove(&now.instance_id);
            if was.as_ref().is_none_or(|was| matters(was, &now)) {
                changed.push(now.clone());
            }
            self.instances.insert(now.instance_id.clone(), Box::new(now));
        }
        let gone: Vec<_> = before.into_keys().collect();
        let first = !std::mem::replace(&mut self.ever, true);
        let pressure = heartbeat.resources.as_ref().map(pressure);
        let moved = pressure != self.resources.as_ref().map(self::pressure);
        self.resources.clone_from(&heartbeat.resources);
        let quiet = changed.is_empty() && gone.is_empty() && !moved && !first;
        (!quiet).then_some(Delta { changed, gone, resources: heartbeat.resources })
    }
}

/// Whether somebody must know. Memory and a measurement's digits move all the time and do not matter.
fn matters(was: &InstanceSummary, now: &InstanceSummary) -> bool {
    let bare =
        |summary: &InstanceSummary| InstanceSummary { memory_bytes: 0, observation: None, ..summary.clone() };
    bare(was) != bare(now)
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
        Heartbeat { at_ms: 1, resources: Some(Resources::default()), instances }
    }

    fn instance(id: &str, state: InstanceState, memory_bytes: u64) -> InstanceSummary {
        InstanceSummary {
            instance_id: id.into(),
            state: state.into(),
            memory_bytes,
            ..InstanceSummary::default()
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let mut told = Told::default();
        assert!(told.take(beat(vec![])).is_some(), "that it runs nothing is news");
        assert!(told.take(beat(vec![])).is_none());

        let up = |memory| vec![instance("i-1", InstanceState::Active, memory)];
        assert_eq!(told.take(beat(up(1))).unwrap().changed.len(), 1);
        assert!(told.take(beat(up(2))).is_none(), "memory moves all the time");

        let failed = vec![instance("i-1", InstanceState::Failed, 2)];
        assert_eq!(told.take(beat(failed)).unwrap().changed.len(), 1);
        assert_eq!(told.take(beat(vec![])).unwrap().gone, ["i-1"]);
    }
}
