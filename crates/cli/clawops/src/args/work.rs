//! The command line of work and its questions, and of the record of both. Nothing here acts.

use super::Consent;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum OpCommand {
    /// The newest first.
    List {
        /// Only what is not over.
        #[arg(long)]
        running: bool,
        /// How many, at most 1000.
        #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
        limit: i64,
    },
    /// How far it is, and what became of each target.
    Show { id: String },
    /// Follow it to its end.
    Watch { id: String },
    /// Begin nothing new; what runs comes to its end.
    Pause { id: String },
    /// Go on after a pause.
    Resume { id: String },
    /// End it and undo what it has done so far.
    Cancel {
        id: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Try again what failed or is stuck.
    Retry { id: String },
}

#[derive(Debug, Subcommand)]
pub enum ApprovalsCommand {
    /// Questions that are open.
    List {
        /// Also those that are answered or expired.
        #[arg(long)]
        all: bool,
    },
    /// The question as the control plane asks it.
    Show { code: String },
    /// Agree with your own key, and follow the work.
    Approve {
        code: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Say no; nothing is changed.
    Deny { code: String },
    /// Say what you want otherwise. It stays open, and what is asked for instead takes its place.
    Changes {
        code: String,
        /// What is wanted instead.
        #[arg(required = true)]
        text: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DebugWhat {
    /// Counts, cost and alerts.
    Fleet,
    /// Every pair with its two instances.
    Pairs,
    /// Operations, newest first.
    Operations,
    /// Incidents, newest first.
    Incidents,
    /// Rows of the audit trail, newest first.
    Audit,
    /// Whether the trail is whole.
    Verify,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Rows, newest first.
    Show {
        /// Only rows about this account.
        #[arg(long)]
        account: Option<String>,
        /// Only what this person, agent or service did.
        #[arg(long, value_name = "WHO")]
        actor: Option<String>,
        /// Only this action, such as provision.
        #[arg(long)]
        action: Option<String>,
        /// Only what this trace id led to.
        #[arg(long, value_name = "ID")]
        trace: Option<String>,
        /// How many rows.
        #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
        limit: i64,
    },
    /// Check the whole chain of rows against the signed heads.
    Verify,
}
