//! The command line: names, flags and their help. Nothing here acts.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs a fleet of OpenClaw gateways, and lets you run it by talking to it.
#[derive(Debug, Parser)]
#[command(name = "clawops", version, max_term_width = 100)]
pub struct Cli {
    /// Directory that holds all state.
    #[arg(long, global = true, env = "CLAWOPS_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// First of the ports on 127.0.0.1; kept in the home.
    #[arg(long, global = true, env = "CLAWOPS_PORT_BASE", value_name = "N")]
    pub port_base: Option<u16>,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything that is not running, then talk.
    Up(UpArgs),
    /// Stop everything on this machine; state is kept.
    Down,
    /// Which processes run.
    Status,
    /// Talk to Commander; with TEXT one line and its answer.
    Chat { text: Vec<String> },
    /// Run claw-brain alone, for any program that speaks the OpenAI protocol.
    Brain {
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7411")]
        listen: SocketAddr,
    },
    /// The tools that agents have, with their parameters.
    Tools,
    /// The fleet in numbers.
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// All pairs, those with trouble first.
    Pairs,
    /// All instances, or one with its health.
    Instances { instance: Option<String> },
    /// New accounts, each with a pair.
    Provision(ProvisionArgs),
    /// Archive accounts and take their pairs down.
    Teardown(TeardownArgs),
    /// Bring an account back from an archive or a snapshot.
    Restore(RestoreArgs),
    /// Move accounts to another tier.
    Resize(ResizeArgs),
    /// Push a configuration patch to gateways.
    Push(PushArgs),
    /// Put back what a rollout changed.
    Rollback {
        /// The rollout's operation id; without it the newest push.
        operation: Option<String>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Restart OpenClaw on instances.
    Restart(RestartArgs),
    /// Make the standby of an account its primary.
    Failover {
        account: String,
        #[arg(long, default_value = "asked for on the command line")]
        reason: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Work in progress and past work.
    #[command(subcommand)]
    Op(OpCommand),
    /// Questions that wait for a person.
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
    /// Who did what.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Operators, their channel identities and keys.
    #[command(subcommand)]
    People(PeopleCommand),
    /// Secrets of accounts: written, never read.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Why something is allowed, refused, or needs a person.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The address of the fleet page, with a link that signs you in once.
    Page,
    /// A completion script for your shell.
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub struct UpArgs {
    /// Return when you can talk, instead of opening the prompt.
    #[arg(long)]
    pub detach: bool,
    /// Also simulate this many pairs at five providers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sim_pairs: u32,
}

/// How a person agrees to what cannot be undone or costs money.
#[derive(Debug, Args, Clone, Copy)]
pub struct Consent {
    /// Agree without being asked.
    #[arg(long, short)]
    pub yes: bool,
    /// Do not wait for the end of the work.
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Counts by state, provider and tier; cost; alerts.
    Status {
        #[arg(long)]
        provider: Option<String>,
        #[arg(long)]
        region: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// How many accounts.
    #[arg(
        long,
        required_unless_present = "account",
        conflicts_with = "account",
        allow_negative_numbers = true
    )]
    pub count: Option<i64>,
    /// An account to make, by id; may be repeated.
    #[arg(long)]
    pub account: Vec<String>,
    /// nano, standard, pro or enterprise.
    #[arg(long)]
    pub tier: String,
    #[arg(long)]
    pub region: Vec<String>,
    /// Provider of the primaries.
    #[arg(long)]
    pub primary: Option<String>,
    /// Provider of the standbys.
    #[arg(long)]
    pub standby: Option<String>,
    /// What they are for.
    #[arg(long)]
    pub purpose: Option<String>,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct TeardownArgs {
    #[arg(required = true)]
    pub accounts: Vec<String>,
    #[arg(long, value_enum, default_value_t = Reason::OperatorRequest)]
    pub reason: Reason,
    /// Keep no archive.
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
    pub account: String,
    #[arg(long, conflicts_with = "archive")]
    pub snapshot: Option<String>,
    #[arg(long)]
    pub archive: Option<String>,
    #[arg(long, default_value = "asked for on the command line")]
    pub reason: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct ResizeArgs {
    #[arg(required = true)]
    pub accounts: Vec<String>,
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
    #[arg(long, required_unless_present = "patch", conflicts_with = "patch")]
    pub file: Option<PathBuf>,
    /// The JSON merge patch itself.
    #[arg(long)]
    pub patch: Option<String>,
    #[arg(long, default_value = "pushed from the command line")]
    pub description: String,
    /// All at once instead of batch by batch.
    #[arg(long)]
    pub immediate: bool,
    #[arg(long, value_name = "N")]
    pub batch_size: Option<i64>,
    /// Show what would change and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Args)]
pub struct RestartArgs {
    #[arg(required_unless_present_any = ["provider", "state", "account"])]
    pub instances: Vec<String>,
    #[arg(long, conflicts_with = "instances")]
    pub provider: Option<String>,
    /// Only instances in this state, such as DEGRADED.
    #[arg(long, conflicts_with = "instances")]
    pub state: Option<String>,
    #[arg(long, conflicts_with = "instances")]
    pub account: Vec<String>,
    #[arg(long, default_value = "asked for on the command line")]
    pub reason: String,
    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Debug, Subcommand)]
pub enum OpCommand {
    List,
    Show {
        id: String,
    },
    /// Follow it to its end.
    Watch {
        id: String,
    },
    Pause {
        id: String,
    },
    Resume {
        id: String,
    },
    Cancel {
        id: String,
        #[command(flatten)]
        consent: Consent,
    },
    Retry {
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum ApprovalsCommand {
    List,
    Show {
        code: String,
    },
    Approve {
        code: String,
        #[command(flatten)]
        consent: Consent,
    },
    Deny {
        code: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    Show {
        #[arg(long)]
        account: Option<String>,
        #[arg(long)]
        actor: Option<String>,
        #[arg(long)]
        action: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Check the whole chain of rows against the signed heads.
    Verify,
}

#[derive(Debug, Subcommand)]
pub enum PeopleCommand {
    List,
    /// Whose key this is.
    Me,
    /// A new operator.
    Add {
        first_name: String,
        #[arg(long, value_enum)]
        role: RoleName,
        #[arg(long)]
        zone: Option<String>,
    },
    /// Say that messages of a channel's sender are this person's, such as telegram 777.
    Identity {
        person: String,
        channel: String,
        sender: String,
    },
    /// A new key for this person; shown once.
    Key {
        person: String,
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
    Delete {
        account: String,
        name: String,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Takes a tool's name and parameters as JSON; nothing is changed.
    Explain {
        tool: String,
        #[arg(default_value = "{}")]
        arguments: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
