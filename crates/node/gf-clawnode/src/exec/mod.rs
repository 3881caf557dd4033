//! The few programs that an operator may have run on this machine: by argument list, never through a shell.

pub mod policy;
mod run;

pub use run::run;
