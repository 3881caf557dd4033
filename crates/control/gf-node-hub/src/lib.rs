//! The control plane's end of the node link: it knows who is connected, sends commands, hands on reports.
//!
//! It speaks frames over anything that streams and sinks them: a WebSocket on this machine ([`link_route`]), one over
//! TLS from another ([`Hub::serve_remote`]) or memory
//! ([`duplex`]), with the same bytes. It must never decide what a fleet should do, and never writes a row:
//! who may enrol is asked of a [`NodeRegistry`], what happened goes to the reconcilers as [`NodeEvent`]s.

mod command;
mod deltas;
mod duplex;
mod event;
mod handshake;
mod hub;
mod leases;
mod line;
mod link;
mod memory;
mod node;
mod receipts;
mod registry;
mod remote;
mod route;
pub mod trace;
mod transport;

pub use command::{CommandError, CommandMeta, Pending, Progress};
pub use duplex::{Duplex, Gone, duplex};
pub use event::NodeEvent;
pub use hub::{Elsewhere, Hub, HubConfig, LinkEnd, MaySend};
pub use leases::{Duty, Grant, Granted, LeaseOffice};
pub use memory::MemoryRegistry;
pub use node::NodeView;
pub use receipts::Receipt;
pub use registry::{EnrolRefusal, NodeRegistry, RegistryError};
pub use remote::TlsError;
pub use route::{LINK_PATH, link_route};
pub use transport::TransportError;
