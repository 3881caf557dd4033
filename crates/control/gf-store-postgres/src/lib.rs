//! The fleet on PostgreSQL: the same promises as the embedded default, for several control planes of which one writes.
//!
//! Who writes is a **lease**: one row with the holder, a generation and an end by the database's own clock. Every commit
//! begins by updating that row where the generation is still its own, so that a control plane that was replaced, and does
//! not know it yet, changes nothing. An advisory lock alone would not do: it belongs to a connection and not to a write. A
//! control plane that is paused, or whose connection broke and was made anew, holds nothing and would write all the same;
//! one whose connection only looks alive (a cut network) would keep everybody else out without end; and a lock leaves no
//! number by which nodes, providers and those who come later could tell an old order from a new one.
//!
//! No clock of this process decides anything here. Nothing here may say that something was not written when it may have
//! been, may wait without end for a server, or may send a password or a fleet to another machine that has not proven who it
//! is over an encrypted connection.

mod address;
mod audit;
mod backend;
mod commit;
mod copy;
mod error;
mod fill;
mod fingerprints;
mod follower;
mod leader;
mod lease;
mod link;
mod log;
mod losses;
mod password;
mod rows;
mod schema;
mod tenure;
#[cfg(test)]
mod tests;
mod text;
mod tls;

pub use address::{Address, BadAddress};
pub use backend::{PostgresBackend, PostgresOptions};
pub use follower::Known;
pub use leader::Lost;
pub use losses::Loss;
pub use password::{BadPassword, Password};
