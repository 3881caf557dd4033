//! Adds up how much each account uses: the peaks of an hour are gathered in memory and written once the hour is over.
//!
//! A control plane that ends loses the hour that it was in, and that hour then counts as not measured.

use crate::Reconcilers;
use gf_model::{
    AccountId, InstanceId, Timestamp,
    fleet::Fleet,
    usage::{Peak, Usage},
};
use gf_node_hub::NodeView;
use std::{collections::BTreeMap, time::Duration};

/// Between two looks at what the nodes last said.
const EVERY: Duration = Duration::from_secs(30);

/// The peaks of the hour that runs.
#[derive(Debug, Default)]
struct Hour {
    number: i64,
    peaks: BTreeMap<AccountId, Peak>,
}

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    let mut hour = Hour::default();
    loop {
        tokio::time::sleep(EVERY).await;
        let now = hands.clock.now();
        if let Some((at, over)) = hour.turn(now) {
            let write = hands.store.update(|fleet, tx| {
                summed(fleet, at, over).into_iter().for_each(|usage| tx.put(usage));
            });
            if let Err(error) = write.await {
                tracing::error!(%error, "an hour of usage could not be written down and is not counted");
            }
        }
        let nodes = hands.hub.nodes();
        hands.store.read(|fleet| hour.look(fleet, &nodes, now));
    }
}

impl Hour {
    /// When another hour began: what the last one came to, and a moment in it.
    fn turn(&mut self, now: Timestamp) -> Option<(Timestamp, BTreeMap<AccountId, Peak>)> {
        let number = now.as_second().div_euclid(3600);
        if number == self.number {
            return None;
        }
        let over = std::mem::take(&mut self.peaks);
        let at = Timestamp::from_second(self.number * 3600).ok();
        self.number = number;
        at.filter(|_| !over.is_empty()).map(|at| (at, over))
    }

    /// What nodes that are there said last; an old word is no measurement of this hour.
    fn look(&mut self, fleet: &Fleet, nodes: &[NodeView], now: Timestamp) {
        let fresh = |node: &&NodeView| {
            node.connected
                && node
                    .last_heartbeat
                    .is_some_and(|at| now.duration_since(at).as_secs() < 2 * EVERY.as_secs() as i64)
        };
        for seen in nodes.iter().filter(fresh).flat_map(|node| &node.instances) {
            let Some(observed) = &seen.observation else { continue };
            let account = seen.instance_id.parse::<InstanceId>().ok().and_then(|id| fleet.instances.get(&id));
            let Some(account) = account.map(|instance| &instance.account) else { continue };
            let peak = Peak { cpu_percent: observed.cpu_percent_5m, memory_percent: observed.memory_percent };
            if !peak.is_empty() {
                self.peaks.entry(account.clone()).or_default().raise(peak);
            }
        }
    }
}

/// The records with that hour added, of accounts that are still there.
fn summed(fleet: &Fleet, at: Timestamp, over: BTreeMap<AccountId, Peak>) -> Vec<Usage> {
    let known = over.into_iter().filter(|(account, _)| fleet.gateways.contains_key(account));
    known
        .map(|(account, peak)| {
            let kept = fleet.usage.get(&account).cloned();
            let mut usage = kept.unwrap_or_else(|| Usage::new(account));
            usage.add(at, peak);
            usage
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::pair;
    use gf_model::instance::InstanceState;
    use gf_node_proto::{InstanceSummary, Observation};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn node(connected: bool, heard: i64, instance: &str, cpu: Option<f32>) -> NodeView {
        let observation = Observation { cpu_percent_5m: cpu, ..Observation::default() };
        let summary = InstanceSummary {
            instance_id: instance.to_owned(),
            observation: Some(observation),
            ..InstanceSummary::default()
        };
        NodeView {
            id: "node-local-a".parse().unwrap(),
            connected,
            provider: String::new(),
            software: String::new(),
            key: None,
            by_ticket: false,
            since: at(0),
            last_heartbeat: Some(at(heard)),
            resources: None,
            instances: vec![summary],
        }
    }

    #[test]
    fn the_peak_of_an_hour_is_written_when_it_is_over() {
        let fleet = pair(InstanceState::Active, Some(InstanceState::Active));
        let mut hour = Hour::default();
        assert!(hour.turn(at(7200)).is_none());
        hour.look(&fleet, &[node(true, 7200, "i-0001", Some(12.0))], at(7200));
        hour.look(&fleet, &[node(true, 7230, "i-0002", Some(30.0))], at(7230));
        hour.look(&fleet, &[node(true, 7260, "i-0001", Some(7.0))], at(7260));
        assert!(hour.turn(at(10_799)).is_none());
        let (then, over) = hour.turn(at(10_800)).unwrap();
        let written = summed(&fleet, then, over);
        assert_eq!(written.len(), 1, "one account has both instances");
        assert_eq!(written[0].days[0].peak_cpu_percent, Some(30.0));
        assert_eq!((written[0].days[0].hours, written[0].days[0].peak_memory_percent), (1 << 2, None));
    }

    #[test]
    fn what_is_old_or_away_or_unmeasured_is_no_measurement() {
        let fleet = pair(InstanceState::Active, None);
        let mut hour = Hour::default();
        hour.turn(at(7200));
        for node in [
            node(false, 7260, "i-0001", Some(99.0)),
            node(true, 7100, "i-0001", Some(99.0)),
            node(true, 7260, "i-0001", None),
            node(true, 7260, "i-ffff", Some(99.0)),
        ] {
            hour.look(&fleet, &[node], at(7260));
        }
        assert!(hour.turn(at(10_800)).is_none());
    }
}
