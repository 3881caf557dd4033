//! Forgets what is over for so long that nobody asks for it, so that the fleet in memory does not grow for ever.
//!
//! The audit trail is not touched: it keeps everything.

use crate::{Reconcilers, downtime};
use gf_model::{
    Timestamp,
    approval::ApprovalState,
    fleet::{Fleet, Key},
    incident::IncidentState,
    node::Node,
    provider::ProviderId,
    served,
};
use std::{collections::BTreeSet, time::Duration};

/// Ended operations that are kept, with their lanes.
const OPERATIONS: usize = 500;
/// Resolved incidents that are kept.
const INCIDENTS: usize = 500;
/// What was done once, and questions that were answered, are kept this long.
const HOURS: i64 = 7 * 24;
/// A machine whose node has been away for so long, and on which nobody is, is not coming back.
const NODE_HOURS: i64 = 1;
const EVERY: Duration = Duration::from_secs(60);

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    loop {
        let now = hands.clock.now();
        let goes_with_place = |provider: &ProviderId| {
            hands.drivers.for_provider(provider).is_ok_and(|driver| driver.node_goes_with_place())
        };
        let old = hands.store.read(|fleet| {
            let mut old = superfluous(fleet, now);
            old.extend(lost_nodes(fleet, goes_with_place, now));
            old
        });
        if !old.is_empty() {
            let write = hands.store.update(|_, tx| old.into_iter().for_each(|key| tx.delete(key)));
            if let Err(error) = write.await {
                tracing::error!(%error, "what is long over could not be forgotten");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

pub(crate) fn superfluous(fleet: &Fleet, now: Timestamp) -> Vec<Key> {
    let is_old = |at: Timestamp| now.duration_since(at).as_hours() >= HOURS;
    let mut keys = Vec::new();

    let mut ended: Vec<_> = fleet
        .operations
        .values()
        .filter_map(|operation| Some((operation.finished_at?, &operation.id)))
        .collect();
    ended.sort_by(|a, b| b.cmp(a));
    for (_, id) in ended.into_iter().skip(OPERATIONS) {
        keys.extend(fleet.lanes_of(id).map(|lane| Key::Lane(lane.id.clone())));
        keys.push(Key::Operation(id.clone()));
    }

    let mut resolved: Vec<_> = fleet
        .incidents
        .values()
        .filter(|incident| incident.state == IncidentState::Resolved)
        .filter_map(|incident| Some((incident.resolved_at?, &incident.id)))
        .collect();
    resolved.sort_by(|a, b| b.cmp(a));
    keys.extend(resolved.into_iter().skip(INCIDENTS).map(|(_, id)| Key::Incident(id.clone())));

    let this_month = downtime::month_key(now);
    let lasts = |key: &str| key == this_month || served::is_record(key);
    let done_once = fleet.once.values().filter(|once| is_old(once.at) && !lasts(&once.key));
    keys.extend(done_once.map(|once| Key::Once(once.key.clone())));

    let waits = |state| matches!(state, ApprovalState::Open);
    let answered =
        fleet.approvals.values().filter(|approval| !waits(approval.state) && is_old(approval.expires_at));
    keys.extend(answered.map(|approval| Key::Approval(approval.code.clone())));
    keys
}

/// Nodes of machines that came to nothing: nobody is on them, and they have been away for long. One that waits for its
/// first connection is left in peace for as long.
fn lost_nodes(fleet: &Fleet, goes_with_place: impl Fn(&ProviderId) -> bool, now: Timestamp) -> Vec<Key> {
    let used: BTreeSet<_> = fleet.live_instances().filter_map(|instance| instance.node.as_ref()).collect();
    let is_lost = |node: &&Node| {
        !node.connected
            && now.duration_since(node.last_change).as_hours() >= NODE_HOURS
            && !used.contains(&node.id)
            && goes_with_place(&node.provider)
    };
    fleet.nodes.values().filter(is_lost).map(|node| Key::Node(node.id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide;
    use gf_model::{
        fleet::Once,
        instance::InstanceState,
        operation::{Lane, LaneId, LaneRecord, Operation, OperationState},
        person::Principal,
        verb::Verb,
    };
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn operation(number: i64, ended: bool) -> Operation {
        Operation {
            id: format!("op-{number}").parse().unwrap(),
            verb: Verb::Restart { instances: vec![], reason: String::new(), concurrency: 1 },
            state: if ended { OperationState::Done } else { OperationState::Running },
            principal: Principal::Service("test".into()),
            approval: None,
            plan_hash: String::new(),
            stages: vec![],
            conversation: None,
            audit_seq: None,
            trace: None,
            created_at: at(number),
            finished_at: ended.then(|| at(number)),
            error: None,
        }
    }

    #[test]
    fn the_newest_ended_operations_are_kept_and_all_that_run() {
        let mut fleet = Fleet::default();
        for number in 1..=502 {
            let operation = operation(number, number != 1);
            let id = LaneId { operation: operation.id.clone(), stage: 0, index: 0 };
            fleet.apply(LaneRecord { id, lane: Lane::new("acct-1", vec![]) }.into());
            fleet.apply(operation.into());
        }
        let keys = superfluous(&fleet, at(1000));
        assert_eq!(keys.len(), 2, "{keys:?}");
        assert!(keys.contains(&Key::Operation("op-2".parse().unwrap())));
        assert!(matches!(&keys[0], Key::Lane(lane) if lane.operation.as_str() == "op-2"));
    }

    #[test]
    fn nodes_that_went_with_their_machines_are_forgotten_and_hosts_are_not() {
        let node = |name: &str, provider: &str, connected: bool, second: i64| Node {
            id: name.parse().unwrap(),
            provider: provider.into(),
            region: "nbg1".into(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected,
            last_change: at(second),
            software: None,
        };
        let mut fleet = decide::tests::pair(InstanceState::Active, None);
        let hour = NODE_HOURS * 3600;
        for node in [
            node("node-sim-gone", "sim", false, 0),
            node("node-sim-young", "sim", false, 1),
            node("node-sim-here", "sim", true, 0),
            node("node-host", "local-a", false, 0),
            // The pair's primary is on this one.
            node("node-local-a", "sim", false, 0),
        ] {
            fleet.apply(node.into());
        }
        let lost = lost_nodes(&fleet, |provider| provider.0 == "sim", at(hour));
        assert_eq!(lost, vec![Key::Node("node-sim-gone".parse().unwrap())]);
    }

    #[test]
    fn what_was_done_once_is_remembered_for_a_week() {
        let mut fleet = Fleet::default();
        let week = HOURS * 3600;
        let now = at(100 * week);
        let this_month = downtime::month_key(now);
        let kept =
            [("young", 99 * week + 1), (this_month.as_str(), 0), ("served", 0), ("served:acct-0001", 0)];
        for (key, second) in [("old", 99 * week)].into_iter().chain(kept) {
            fleet.apply(Once { key: key.into(), at: at(second), answer: json!(null) }.into());
        }
        assert_eq!(superfluous(&fleet, now), vec![Key::Once("old".into())]);
    }
}
