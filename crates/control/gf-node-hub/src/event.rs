//! What the reconcilers are told about nodes.

use crate::Receipt;
use gf_model::{NodeId, Timestamp};
use gf_node_proto::{Event, InstanceSummary, Resources};

#[derive(Debug)]
pub enum NodeEvent {
    /// A node proved its key. What it runs follows in its first `Changed`.
    Connected { node: NodeId, provider: String, software: String, at: Timestamp },
    /// Its connection is gone. What it runs most likely runs on.
    Lost { node: NodeId, why: String, at: Timestamp },
    /// Something happened there. The node repeats it after every reconnect until `receipt.done()` was called,
    /// so call that once it is durable; being told twice must do no harm.
    Reported { node: NodeId, event: Event, receipt: Receipt },
    /// What differs from the last heartbeat: only instances that changed, and names of those that are gone.
    Changed {
        node: NodeId,
        at: Timestamp,
        changed: Vec<InstanceSummary>,
        gone: Vec<String>,
        resources: Option<Resources>,
    },
}

impl NodeEvent {
    pub fn node(&self) -> &NodeId {
        match self {
            Self::Connected { node, .. }
            | Self::Lost { node, .. }
            | Self::Reported { node, .. }
            | Self::Changed { node, .. } => node,
        }
    }
}
