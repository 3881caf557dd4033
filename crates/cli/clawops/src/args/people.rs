//! The command line of people and of accounts' secrets. Nothing here acts.

use super::Consent;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum PeopleCommand {
    /// Everybody, with their roles and channel identities.
    List,
    /// Whose key this is.
    Me,
    /// A new operator.
    Add {
        first_name: String,
        /// Viewer reads, operator asks, approver agrees, admin manages people and keys.
        #[arg(long, value_enum)]
        role: RoleName,
        /// Time zone, such as Europe/Berlin.
        #[arg(long)]
        zone: Option<String>,
    },
    /// Say that messages of a channel's sender are this person's, such as telegram 777.
    Identity { person: String, channel: String, sender: String },
    /// A new key for this person; shown once.
    Key { person: String },
    /// Your own signing key's public half; the key is made where there is none, and stays on this machine.
    SigningKey,
    /// Let yeses of this person be signed by this key, as `signing-key` shows it to them.
    Trust {
        person: String,
        /// 32 bytes, base64.
        public_key: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    Viewer,
    Operator,
    Approver,
    Admin,
}

#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Names only.
    List { account: String },
    /// The value is read from standard input, so that it is in no list of processes.
    Set { account: String, name: String },
    /// Remove it for good.
    Delete {
        account: String,
        name: String,
        #[command(flatten)]
        consent: Consent,
    },
}
