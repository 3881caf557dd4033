//! What the hub knows of one node, across its connections.

use crate::{command::InFlight, deltas::Told, receipts::Ledger};
use bytes::Bytes;
use gf_model::{NodeId, Timestamp};
use gf_node_proto::{GoodbyeReason, Heartbeat, InstanceSummary, Resources};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// A node as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    pub id: NodeId,
    pub connected: bool,
    pub provider: String,
    pub software: String,
    /// When its connection last came or went.
    pub since: Timestamp,
    pub last_heartbeat: Option<Timestamp>,
    pub resources: Option<Resources>,
    pub instances: Vec<InstanceSummary>,
}

/// A connection that is up: how to write to it, and how to end it.
pub(crate) struct Connection {
    pub(crate) outgoing: mpsc::Sender<Bytes>,
    pub(crate) stop: oneshot::Sender<GoodbyeReason>,
    /// Resolves when the link's task has let go of everything.
    pub(crate) ended: oneshot::Receiver<()>,
}

pub(crate) struct NodeState {
    pub(crate) id: NodeId,
    pub(crate) ledger: Mutex<Arc<Ledger>>,
    pub(crate) told: Mutex<Told>,
    /// By key, so that what is sent again after a reconnect is sent in one order.
    pub(crate) in_flight: Mutex<BTreeMap<String, Arc<InFlight>>>,
    pub(crate) connection: Mutex<Option<Connection>>,
    known: Mutex<Known>,
}

struct Known {
    connected: bool,
    provider: String,
    software: String,
    since: Timestamp,
    last_heartbeat: Option<Timestamp>,
    resources: Option<Resources>,
    instances: Vec<InstanceSummary>,
}

impl NodeState {
    pub(crate) fn new(id: NodeId, now: Timestamp) -> Self {
        Self {
            id,
            ledger: Mutex::default(),
            told: Mutex::default(),
            in_flight: Mutex::default(),
            connection: Mutex::default(),
            known: Mutex::new(Known {
                connected: false,
                provider: String::new(),
                software: String::new(),
                since: now,
                last_heartbeat: None,
                resources: None,
                instances: Vec::new(),
            }),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.lock().is_some()
    }

    pub(crate) fn came(&self, provider: &str, software: &str, now: Timestamp) {
        let mut known = self.known.lock();
        known.connected = true;
        known.provider = provider.to_owned();
        known.software = software.to_owned();
        known.since = now;
        *self.told.lock() = Told::default();
    }

    pub(crate) fn went(&self, now: Timestamp) {
        let mut known = self.known.lock();
        known.connected = false;
        known.since = now;
    }

    pub(crate) fn beat(&self, heartbeat: &Heartbeat, now: Timestamp) {
        let mut known = self.known.lock();
        known.last_heartbeat = Some(now);
        known.resources.clone_from(&heartbeat.resources);
        known.instances.clone_from(&heartbeat.instances);
    }

    pub(crate) fn view(&self) -> NodeView {
        let known = self.known.lock();
        NodeView {
            id: self.id.clone(),
            connected: known.connected,
            provider: known.provider.clone(),
            software: known.software.clone(),
            since: known.since,
            last_heartbeat: known.last_heartbeat,
            resources: known.resources.clone(),
            instances: known.instances.clone(),
        }
    }

    /// A node that begins anew (it enrolled) numbers its events from one again.
    pub(crate) fn begins_anew(&self) {
        *self.ledger.lock() = Arc::default();
    }
}
