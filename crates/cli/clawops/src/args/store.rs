//! The command line of the control plane's own store. Nothing here acts.

use super::Consent;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Copy all of it into one file while the control plane runs. What is secret stays sealed, and no key is in it.
    Backup {
        /// A file that does not exist yet.
        file: PathBuf,
    },
    /// Make the state of this home out of such a copy. The control plane must not run.
    Restore(StoreRestoreArgs),
    /// Go on without what the database has lost, on a control plane that halted because of it.
    AcceptLoss {
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Debug, Args)]
pub struct StoreRestoreArgs {
    /// The copy.
    pub file: PathBuf,
    /// Bring the fleet's keys from there: another home of it, or a copy of its directory `keys`.
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Move the fleet that this home holds aside.
    #[arg(long)]
    pub replace: bool,
    /// Put the fleet into this PostgreSQL database, which must be empty; also CLAWOPS_STORE [default: a file of the home].
    #[arg(long, value_name = "ADDR")]
    pub store: Option<String>,
    /// A file with the password of that database; also CLAWOPS_STORE_PASSWORD_FILE.
    #[arg(long, value_name = "FILE")]
    pub store_password_file: Option<PathBuf>,
}
