//! Secrets that can be written and used, but not read.
//!
//! A value is encrypted with a data key of its own, which is encrypted with the fleet's master key; what it
//! belongs to is bound into both, so that one secret cannot be put in another's place. A value leaves only
//! through [`Secrets::reveal_for`], to somebody who is named in the audit trail before it does. It must never
//! reach a log, an error, a serialised reply or an argument list.

mod envelope;
mod error;
mod master;
mod name;
mod plain;
mod purpose;
mod secrets;

pub use error::SecretsError;
pub use master::MasterKey;
pub use name::{Listed, Scope};
pub use plain::Plain;
pub use purpose::Purpose;
pub use secrets::{Revealed, Secrets, Use};
