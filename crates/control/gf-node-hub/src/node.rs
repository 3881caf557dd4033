//! What the hub knows of one node, across its connections.

use crate::{
    command::InFlight,
    deltas::{Delta, Reading},
    leases,
    line::Line,
    receipts::Ledger,
};
use gf_model::{NodeId, Timestamp};
use gf_node_proto::{Heartbeat, Hello, InstanceSummary, Resources};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::oneshot;

/// A node as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    pub id: NodeId,
    pub connected: bool,
    pub provider: String,
    pub software: String,
    /// What it proved itself by, on its last connection.
    pub key: Option<[u8; 32]>,
    /// Whether that was by a ticket instead.
    pub by_ticket: bool,
    /// When its connection last came or went.
    pub since: Timestamp,
    pub last_heartbeat: Option<Timestamp>,
    pub resources: Option<Resources>,
    pub instances: Vec<InstanceSummary>,
}

/// A connection that is up: how to write to it, and how to end it.
pub(crate) struct Connection {
    pub(crate) line: Arc<Line>,
    /// Resolves when the link's task has let go of everything.
    pub(crate) ended: oneshot::Receiver<()>,
}

pub(crate) struct NodeState {
    pub(crate) id: NodeId,
    pub(crate) ledger: Mutex<Arc<Ledger>>,
    /// By key, so that what is sent again after a reconnect is sent in one order.
    pub(crate) in_flight: Mutex<BTreeMap<String, Arc<InFlight>>>,
    pub(crate) connection: Mutex<Option<Connection>>,
    pub(crate) lease: Mutex<leases::Known>,
    known: Mutex<Known>,
}

struct Known {
    connected: bool,
    by_ticket: bool,
    provider: String,
    software: String,
    since: Timestamp,
    last_heartbeat: Option<Timestamp>,
    newest: Reading,
    /// What the reconcilers were told last, where that is not the newest.
    told: Option<Box<Reading>>,
    /// Whether they were told anything of this connection.
    told_at_all: bool,
}

impl NodeState {
    pub(crate) fn new(id: NodeId, now: Timestamp) -> Self {
        Self {
            id,
            ledger: Mutex::default(),
            in_flight: Mutex::default(),
            connection: Mutex::default(),
            lease: Mutex::default(),
            known: Mutex::new(Known {
                connected: false,
                by_ticket: false,
                provider: String::new(),
                software: String::new(),
                since: now,
                last_heartbeat: None,
                newest: Reading::default(),
                told: None,
                told_at_all: false,
            }),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.lock().is_some()
    }

    pub(crate) fn came(&self, hello: &Hello, by_ticket: bool, now: Timestamp) {
        let mut known = self.known.lock();
        known.connected = true;
        known.by_ticket = by_ticket;
        known.provider.clone_from(&hello.provider);
        known.software.clone_from(&hello.software_version);
        known.since = now;
        known.told = Some(Box::default());
        known.told_at_all = false;
    }

    pub(crate) fn went(&self, now: Timestamp) {
        let mut known = self.known.lock();
        known.connected = false;
        known.since = now;
    }

    /// How the node is now. Where there is room for a report, what differs from the last one.
    ///
    /// The first heartbeat of a connection always tells, even when it is empty: "it runs nothing" is news. Without room
    /// differences gather, and nothing but the newest is kept beside what was told.
    pub(crate) fn beat(&self, heartbeat: Heartbeat, now: Timestamp, room: bool) -> Option<Delta> {
        let mut known = self.known.lock();
        let Known { newest, told, told_at_all, last_heartbeat, .. } = &mut *known;
        *last_heartbeat = Some(now);
        let delta = if room {
            let delta = told.as_deref().unwrap_or(newest).until(&heartbeat);
            *told = None;
            let first = !std::mem::replace(told_at_all, true);
            let empty = || Delta { resources: heartbeat.resources.clone(), ..Delta::default() };
            delta.or_else(|| first.then(empty))
        } else {
            told.get_or_insert_with(|| Box::new(std::mem::take(newest)));
            None
        };
        newest.becomes(heartbeat);
        delta
    }

    pub(crate) fn view(&self) -> NodeView {
        let known = self.known.lock();
        NodeView {
            id: self.id.clone(),
            connected: known.connected,
            provider: known.provider.clone(),
            software: known.software.clone(),
            key: self.lease.lock().key,
            by_ticket: known.by_ticket,
            since: known.since,
            last_heartbeat: known.last_heartbeat,
            resources: known.newest.resources.clone(),
            instances: known.newest.instances.clone(),
        }
    }

    /// What it last said that it runs, while it is connected.
    pub(crate) fn heard(&self, hear: &mut impl FnMut(Timestamp, &[InstanceSummary])) {
        let known = self.known.lock();
        if let Some(at) = known.last_heartbeat.filter(|_| known.connected) {
            hear(at, &known.newest.instances);
        }
    }

    /// A node that begins anew (it enrolled) numbers its events from one again.
    pub(crate) fn begins_anew(&self) {
        *self.ledger.lock() = Arc::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::InstanceState;

    fn node() -> NodeState {
        let node = NodeState::new("node-local-a".parse().unwrap(), Timestamp::UNIX_EPOCH);
        node.came(&Hello::default(), false, Timestamp::UNIX_EPOCH);
        node
    }

    fn beat(node: &NodeState, state: Option<InstanceState>, room: bool) -> Option<Delta> {
        let instance = |state: InstanceState| InstanceSummary {
            instance_id: "i-1".into(),
            state: state.into(),
            ..InstanceSummary::default()
        };
        let heartbeat = Heartbeat {
            at_ms: 1,
            instances: state.map(instance).into_iter().collect(),
            ..Heartbeat::default()
        };
        node.beat(heartbeat, Timestamp::UNIX_EPOCH, room)
    }

    #[test]
    fn that_it_runs_nothing_is_news_once_per_connection() {
        let node = node();
        assert!(beat(&node, None, true).is_some());
        assert!(beat(&node, None, true).is_none());
        node.came(&Hello::default(), false, Timestamp::UNIX_EPOCH);
        assert!(beat(&node, None, true).is_some());
    }

    #[test]
    fn what_a_node_said_before_it_went_is_not_heard() {
        let node = node();
        let heard = |node: &NodeState| {
            let mut heard = Vec::new();
            node.heard(&mut |_: Timestamp, runs: &[InstanceSummary]| heard.push(runs.len()));
            heard
        };
        assert_eq!(heard(&node), [0; 0], "nothing was said yet");
        beat(&node, Some(InstanceState::Active), true);
        assert_eq!(heard(&node), [1]);
        node.went(Timestamp::UNIX_EPOCH);
        assert_eq!(heard(&node), [0; 0]);
    }

    #[test]
    fn what_it_ran_before_is_told_again_after_a_reconnect() {
        let node = node();
        assert_eq!(beat(&node, Some(InstanceState::Active), true).unwrap().changed.len(), 1);
        node.came(&Hello::default(), false, Timestamp::UNIX_EPOCH);
        assert_eq!(node.view().instances.len(), 1, "until it says otherwise");
        assert_eq!(beat(&node, Some(InstanceState::Active), true).unwrap().changed.len(), 1);
    }

    #[test]
    fn differences_gather_while_there_is_no_room_for_a_report() {
        let node = node();
        beat(&node, Some(InstanceState::Active), true);
        assert!(beat(&node, Some(InstanceState::Failed), false).is_none());
        assert!(beat(&node, None, false).is_none());
        assert!(node.view().instances.is_empty(), "what is shown is the newest");
        assert_eq!(beat(&node, None, true).unwrap().gone, ["i-1"]);
        beat(&node, Some(InstanceState::Active), true);
        assert!(beat(&node, Some(InstanceState::Failed), false).is_none());
        assert!(beat(&node, Some(InstanceState::Active), true).is_none(), "it came and went unseen");
    }
}
