//! The command line of the verbs that change the fleet. Nothing here acts.

use super::Consent;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// How many accounts.
    #[arg(
        long,
        required_unless_present = "account",
        conflicts_with = "account",
        allow_negative_numbers = true,
        value_name = "N"
    )]
    pub count: Option<i64>,
    /// An account to make, by id; may be repeated.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Vec<String>,
    /// nano, standard, pro or enterprise.
    #[arg(long)]
    pub tier: String,
    /// Regions to choose from; may be repeated. Without any, the control plane chooses.
    #[arg(long, value_name = "NAME")]
    pub region: Vec<String>,
    /// Provider of the primaries; without it the control plane chooses.
    #[arg(long, value_name = "PROVIDER")]
    pub primary: Option<String>,
    /// Provider of the standbys, another than the primaries'.
    #[arg(long, value_name = "PROVIDER")]
    pub standby: Option<String>,
    /// What they are for, such as "COMPANION beta users".
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct TeardownArgs {
    /// Such as acct-0001 acct-0002.
    #[arg(required = true)]
    pub accounts: Vec<String>,
    /// Why; it is kept in the audit and told to COMPANION.
    #[arg(long, value_enum, default_value_t = Reason::OperatorRequest)]
    pub reason: Reason,
    /// Keep no archive: the accounts cannot be restored.
    #[arg(long)]
    pub no_archive: bool,
    /// Only the standbys.
    #[arg(long)]
    pub standby_only: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Reason {
    Idle,
    OperatorRequest,
    BillingFailure,
    AccountClosed,
    Maintenance,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Such as acct-0001.
    pub account: String,
    /// From this snapshot; without it and --archive from the newest that there is.
    #[arg(long, value_name = "ID", conflicts_with = "archive")]
    pub snapshot: Option<String>,
    /// From this archive, such as arch-6f6cf131.
    #[arg(long, value_name = "ID")]
    pub archive: Option<String>,
    /// What the audit says about why.
    #[arg(long, value_name = "TEXT", default_value = "asked for on the command line")]
    pub reason: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct ResizeArgs {
    /// Such as acct-0001 acct-0002.
    #[arg(required = true)]
    pub accounts: Vec<String>,
    /// nano, standard, pro or enterprise.
    #[arg(long)]
    pub tier: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// Accounts; without any, all.
    pub accounts: Vec<String>,
    /// A file with a JSON merge patch.
    #[arg(long, value_name = "FILE", required_unless_present = "patch", conflicts_with = "patch")]
    pub file: Option<PathBuf>,
    /// The JSON merge patch itself.
    #[arg(long, value_name = "JSON")]
    pub patch: Option<String>,
    /// What this change is for.
    #[arg(long, value_name = "TEXT", default_value = "pushed from the command line")]
    pub description: String,
    /// All at once instead of batch by batch.
    #[arg(long)]
    pub immediate: bool,
    /// A few first, then more: batches of these sizes, then the rest. Without sizes 1,10,100,1000.
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        num_args = 0..,
        require_equals = true,
        conflicts_with = "immediate"
    )]
    pub canary: Option<Vec<i64>>,
    /// How long each batch must be well before the next one begins, in seconds.
    #[arg(long, value_name = "SECONDS", conflicts_with = "immediate", allow_negative_numbers = true)]
    pub settle: Option<i64>,
    /// How many gateways to a batch; without it the control plane chooses.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<i64>,
    /// Show what would change and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct RestartArgs {
    /// Such as i-7f3a.
    #[arg(required_unless_present_any = ["provider", "state", "account"])]
    pub instances: Vec<String>,
    /// All instances at this provider.
    #[arg(long, value_name = "NAME", conflicts_with = "instances")]
    pub provider: Option<String>,
    /// Only instances in this state, such as DEGRADED.
    #[arg(long, conflicts_with = "instances")]
    pub state: Option<String>,
    /// Both halves of this account; may be repeated.
    #[arg(long, conflicts_with = "instances")]
    pub account: Vec<String>,
    /// What the audit says about why.
    #[arg(long, value_name = "TEXT", default_value = "asked for on the command line")]
    pub reason: String,
    #[command(flatten)]
    pub consent: Consent,
}
