//! The fleet kept durable: one writer, group commit, and an audit trail that shows when it was touched.
//!
//! Everything that the control plane decides goes through [`FleetStore::transact`]: what it reads there and
//! what it changes there is one step, and when it returns the change is on disk. Nothing here reads a clock,
//! and nothing here may show a reader what is not durable yet or write an act without its audit row.

mod backend;
mod backup;
mod changed;
pub mod contract;
mod error;
mod events;
mod expand;
mod follow;
mod heads;
mod index;
mod key;
mod look;
mod memory;
mod query;
mod rows;
mod seen;
mod sqlite;
mod store;
mod tx;
mod verify;
mod writer;

pub use backend::{Backend, Batch, Head, Loaded, SealedChange, SealedRow, StoredRow};
pub use backup::{CopyNote, Inspected, inspect, settle, unpack};
pub use changed::{Changed, Gone};
pub use error::{StoreError, TransactError};
pub use events::{Committed, Since};
pub use expand::{Age, SCHEMA, Written, is_of_a_later_kind, keeping};
pub use follow::{Following, Leader, News, Position, Standing};
pub use heads::{HeadPolicy, SignedHead};
pub use index::{Index, id_of};
pub use key::AuditKey;
pub use look::{Look, Owned};
pub use memory::MemoryBackend;
pub use query::{AUDIT_LIMIT, AuditQuery};
pub use rows::{CopyWriter, KeptReader, ObjectRow};
pub use seen::Seen;
pub use sqlite::{Owner, SqliteBackend};
pub use store::{FleetStore, Pace, StoreOptions};
pub use tx::Tx;
pub use verify::{FINDINGS_LIMIT, Finding, Verification, What};
