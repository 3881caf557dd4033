//! The hands beside an OpenClaw.
//!
//! As [`host`] it makes, starts, freezes, copies and watches the instances of one machine, on the control
//! plane's command. As [`guest`] it sits with one instance and answers it, and as
//! [`guard`] it ends what outlives its lease. It never decides about a fleet,
//! never promotes an instance by itself, and never lets a secret reach an argument list or a log.

pub mod exec;
pub mod files;
pub mod guard;
pub mod guest;
pub mod host;
pub mod instance;
pub mod lives;
pub mod machine;
pub mod program;
pub mod redact;
pub mod snapshot;
