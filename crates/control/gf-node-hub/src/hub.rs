//! The hub itself: the nodes by name, and the way to command them.

use crate::{
    LeaseOffice, NodeEvent, NodeRegistry, NodeView, TransportError,
    command::{CommandError, CommandMeta, InFlight, Pending},
    link,
    node::NodeState,
};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use gf_model::{
    NodeId, Timestamp,
    ambient::{Clock, Entropy},
    table::Table,
};
use gf_node_proto::{
    COMMANDS_IN_FLIGHT, Cancel, EnrolmentToken, GoodbyeReason, HEARTBEAT_INTERVAL_MS, InstanceSummary, Reply,
    SigningKey, TicketKey, command, encode,
};
use parking_lot::RwLock;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use tracing::Instrument;

/// Reports that may wait for the reconcilers before nodes are made to wait.
const EVENTS_WAITING: usize = 1024;
/// Nodes that prove themselves at the same time, other machines' apart: each that holds no ticket costs three signatures, and
/// a fleet that comes back all at once must not keep this process from everything else. The others wait their turn.
const AT_THE_DOOR: usize = 64;
/// How long a node may take to prove itself.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct HubConfig {
    /// What nodes know this control plane by.
    pub key: SigningKey,
    /// The leader's generation: nodes refuse a controller with a lower one than they have seen.
    pub controller_generation: u64,
    pub heartbeat_interval: Duration,
    /// How long a stranger may take for each part of proving itself.
    pub handshake_patience: Duration,
    /// Where nodes find the control plane that leads, while this one follows it: they are sent there until
    /// [`Hub::lead`]. `None` where this one leads from the start.
    pub elsewhere: Option<Elsewhere>,
    /// Asked before anything is sent to a node: whether this control plane surely leads.
    pub may_send: MaySend,
    /// Without one no lease is granted, and no node is asked to hold one.
    pub leases: Option<Arc<dyn LeaseOffice>>,
}

/// Where the control plane that leads is reached by nodes, at this moment.
pub type Elsewhere = Arc<dyn Fn() -> Vec<String> + Send + Sync>;
pub type MaySend = Arc<dyn Fn() -> bool + Send + Sync>;

impl HubConfig {
    pub fn new(key: SigningKey, controller_generation: u64) -> Self {
        let heartbeat_interval = Duration::from_millis(HEARTBEAT_INTERVAL_MS.into());
        Self {
            key,
            controller_generation,
            heartbeat_interval,
            handshake_patience: PATIENCE,
            elsewhere: None,
            may_send: Arc::new(|| true),
            leases: None,
        }
    }
}

/// Cheap to clone; all clones are the same hub.
#[derive(Clone)]
pub struct Hub {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: HubConfig,
    pub(crate) registry: Arc<dyn NodeRegistry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What nodes' tickets are made with.
    pub(crate) tickets: TicketKey,
    pub(crate) events: mpsc::Sender<NodeEvent>,
    /// A place for each handshake under way.
    door: Arc<Semaphore>,
    pub(crate) nodes: RwLock<Table<NodeId, Arc<NodeState>>>,
    /// The generation that is told to nodes; `None` while this control plane follows another one.
    leads: RwLock<Option<u64>>,
    /// Since when leases may have been renewed from here.
    pub(crate) began: RwLock<Instant>,
}

/// How a link came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEnd {
    /// The node was not let in, or broke the protocol, and was told why.
    Refused { reason: GoodbyeReason, detail: String, control: Vec<String> },
    /// The node said goodbye.
    Left { reason: GoodbyeReason },
    /// The connection broke.
    Broken(String),
    /// Nothing was heard for three heartbeats.
    Silent,
    /// This side ended it.
    Ended { reason: GoodbyeReason },
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { reason, detail, .. } => write!(f, "refused ({}): {detail}", reason.as_str_name()),
            Self::Left { reason } => write!(f, "the node left ({})", reason.as_str_name()),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Silent => f.write_str("nothing was heard for three heartbeats"),
            Self::Ended { reason } => write!(f, "ended here ({})", reason.as_str_name()),
        }
    }
}

impl Hub {
    /// The hub, and the reports that somebody must read.
    pub fn new(
        config: HubConfig,
        registry: Arc<dyn NodeRegistry>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> (Self, mpsc::Receiver<NodeEvent>) {
        let (events, reports) = mpsc::channel(EVENTS_WAITING);
        let (door, nodes) = (Arc::new(Semaphore::new(AT_THE_DOOR)), RwLock::default());
        let leads = config.elsewhere.is_none().then_some(config.controller_generation);
        let (leads, began) = (RwLock::new(leads), RwLock::new(Instant::now()));
        let tickets = TicketKey::of(&config.key);
        let shared = Shared { config, registry, clock, entropy, tickets, events, door, nodes, leads, began };
        (Self { shared: Arc::new(shared) }, reports)
    }

    /// How long a node may take to prove itself.
    pub(crate) fn patience(&self) -> Duration {
        self.shared.config.handshake_patience
    }

    /// From now on nodes are taken in, as of this generation.
    pub fn lead(&self, generation: u64) {
        // Whoever led until now may have renewed leases until now.
        *self.shared.began.write() = Instant::now();
        *self.shared.leads.write() = Some(generation);
    }

    /// A fresh single-use token. Store its `digest()` for the node that it is meant for, hand `reveal()` to it.
    pub fn mint_token(&self) -> EnrolmentToken {
        let mut secret = [0; 32];
        self.shared.entropy.fill(&mut secret);
        EnrolmentToken::new(secret, self.shared.config.key.verifying_key())
    }

    /// Serves one link until it ends.
    pub async fn serve<T, R, W>(&self, transport: T) -> LinkEnd
    where
        T: Stream<Item = Result<Bytes, R>> + Sink<Bytes, Error = W> + Send + Unpin,
        R: Into<TransportError> + Send,
        W: fmt::Display + Send,
    {
        let place = Arc::clone(&self.shared.door).acquire_owned().await;
        link::serve(&self.shared, transport, place.ok()).await
    }

    /// The same for somebody who holds a place among the strangers of other machines until it has proven itself.
    pub(crate) async fn serve_stranger<T, R, W>(&self, transport: T, place: OwnedSemaphorePermit) -> LinkEnd
    where
        T: Stream<Item = Result<Bytes, R>> + Sink<Bytes, Error = W> + Send + Unpin,
        R: Into<TransportError> + Send,
        W: fmt::Display + Send,
    {
        link::serve(&self.shared, transport, Some(place)).await
    }

    pub fn nodes(&self) -> Vec<NodeView> {
        self.shared.nodes.read().values().map(|node| node.view()).collect()
    }

    /// What each connected node last said that it runs, and when. Nothing is copied, and `hear` must ask nothing of the hub.
    pub fn each_heard(&self, mut hear: impl FnMut(Timestamp, &[InstanceSummary])) {
        self.shared.nodes.read().values().for_each(|node| node.heard(&mut hear));
    }

    pub fn node(&self, id: &NodeId) -> Option<NodeView> {
        self.shared.nodes.read().get(id).map(|node| node.view())
    }

    pub fn is_connected(&self, id: &NodeId) -> bool {
        self.shared.nodes.read().get(id).is_some_and(|node| node.is_connected())
    }

    /// Sends a command and waits for its answer.
    pub async fn command(
        &self,
        node: &NodeId,
        body: impl Into<command::Body>,
        meta: CommandMeta,
    ) -> Result<Reply, CommandError> {
        let span = tracing::info_span!("command", %node);
        async { self.start(node, body, meta)?.answer().await }.instrument(span).await
    }

    /// Sends a command. Its key joins one that is under way already, instead of sending it a second time.
    pub fn start(
        &self,
        node: &NodeId,
        body: impl Into<command::Body>,
        meta: CommandMeta,
    ) -> Result<Pending, CommandError> {
        let not_connected = || CommandError::NotConnected { node: node.clone() };
        let state = self.shared.nodes.read().get(node).cloned().ok_or_else(not_connected)?;
        if !self.shared.may_send() {
            return Err(CommandError::NotLeading { node: node.clone() });
        }
        let command = meta.command(body.into());
        let frame = encode(command.clone()).map_err(CommandError::TooLarge)?;

        let line =
            state.connection.lock().as_ref().map(|up| Arc::clone(&up.line)).ok_or_else(not_connected)?;
        let (progress, answer) = {
            let mut in_flight = state.in_flight.lock();
            in_flight.retain(|_, waiting| waiting.is_awaited());
            if let Some(same) = in_flight.get(&meta.key) {
                if same.body != command.body {
                    return Err(CommandError::KeyInUse { key: meta.key });
                }
                (mpsc::channel(1).1, same.join())
            } else {
                let busy = || CommandError::Busy { node: node.clone() };
                if in_flight.len() >= COMMANDS_IN_FLIGHT {
                    return Err(busy());
                }
                let (waiting, progress, answer) = InFlight::new(command.body, frame.clone());
                line.send(frame).map_err(|_| busy())?;
                in_flight.insert(meta.key.clone(), waiting);
                (progress, answer)
            }
        };
        let cancel = {
            let key = meta.key;
            Box::new(move || {
                if let Some(up) = state.connection.lock().as_ref()
                    && let Ok(frame) = encode(Cancel { key: key.clone() })
                {
                    let _ = up.line.send(frame);
                }
            })
        };
        Ok(Pending { node: node.clone(), timeout: meta.timeout, progress, answer, cancel })
    }

    /// Whether this node knows leases and can be asked as a witness.
    pub fn can_witness(&self, node: &NodeId) -> bool {
        self.shared.can_witness(node)
    }

    /// Whether this node, as it last reported, enforces leases.
    pub fn knows_leases(&self, node: &NodeId) -> bool {
        self.shared.knows_leases(node)
    }

    /// How long ago, at least, leases of this node were renewed for the last time by any control plane.
    pub fn lease_idle(&self, node: &NodeId) -> Duration {
        self.shared.lease_idle(node)
    }

    /// Ends a node's link, such as after its key was withdrawn.
    pub fn disconnect(&self, id: &NodeId, reason: GoodbyeReason) {
        let node = self.shared.nodes.read().get(id).cloned();
        if let Some(up) = node.and_then(|node| node.connection.lock().take()) {
            up.line.stop(reason);
        }
    }

    /// Ends a node's link and forgets what was known of it: its machine is gone.
    pub fn forget(&self, id: &NodeId) {
        self.disconnect(id, GoodbyeReason::UnknownNode);
        self.shared.nodes.write().remove(id);
    }

    /// Tells every node that this control plane goes away.
    pub fn shut_down(&self) {
        let ids: Vec<_> = self.shared.nodes.read().keys().cloned().collect();
        for id in ids {
            self.disconnect(&id, GoodbyeReason::ShuttingDown);
        }
    }
}

impl Shared {
    /// The generation that nodes are told, or where to go instead.
    pub(crate) fn leads(&self) -> Result<u64, Vec<String>> {
        let elsewhere = || self.config.elsewhere.as_ref().map_or_else(Vec::new, |elsewhere| elsewhere());
        (*self.leads.read()).ok_or_else(elsewhere)
    }

    /// The moment as tickets tell it.
    pub(crate) fn now_s(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or(0)
    }

    pub(crate) fn may_send(&self) -> bool {
        self.leads.read().is_some() && (self.config.may_send)()
    }

    pub(crate) fn node(&self, id: &NodeId) -> Arc<NodeState> {
        if let Some(known) = self.nodes.read().get(id) {
            return Arc::clone(known);
        }
        let mut nodes = self.nodes.write();
        if let Some(known) = nodes.get(id) {
            return Arc::clone(known);
        }
        let new = Arc::new(NodeState::new(id.clone(), self.clock.now()));
        nodes.insert(id.clone(), Arc::clone(&new));
        new
    }
}
