//! The command line: names, flags and their help. Nothing here acts.

use crate::examples;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs a fleet of OpenClaw gateways, and lets you run it by talking to it.
#[derive(Debug, Parser)]
#[command(name = "clawops", version, max_term_width = 100, after_help = examples::ALL)]
pub struct Cli {
    /// Directory that holds all state; also CLAWOPS_HOME [default: ~/.local/state/clawops].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub home: Option<PathBuf>,
    /// First of the ports on 127.0.0.1, kept in the home; also CLAWOPS_PORT_BASE [default: 7400].
    #[arg(long, global = true, value_name = "N", help_heading = "Everywhere")]
    pub port_base: Option<u16>,
    /// Print JSON for programs; errors too, on standard error.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything that is not running, then talk.
    #[command(after_help = examples::UP)]
    Up(UpArgs),
    /// Stop everything on this machine; state is kept.
    #[command(after_help = examples::DOWN)]
    Down,
    /// Which processes run.
    #[command(after_help = examples::STATUS)]
    Status,
    /// Talk to Commander; with TEXT one line and its answer.
    #[command(after_help = examples::CHAT)]
    Chat {
        /// What to say; without it a prompt, or each line of standard input.
        text: Vec<String>,
    },
    /// Run claw-brain alone, for any program that speaks the OpenAI protocol.
    #[command(after_help = examples::BRAIN)]
    Brain {
        /// Where to listen.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7411")]
        listen: SocketAddr,
    },
    /// The tools that agents have, with their parameters.
    #[command(after_help = examples::TOOLS)]
    Tools,
    /// The fleet in numbers.
    #[command(subcommand)]
    #[command(after_help = examples::FLEET)]
    Fleet(FleetCommand),
    /// All pairs, those with trouble first.
    #[command(after_help = examples::PAIRS)]
    Pairs,
    /// All instances, or one with its health.
    #[command(after_help = examples::INSTANCES)]
    Instances {
        /// Such as i-7f3a; without it all of them.
        instance: Option<String>,
    },
    /// New accounts, each with a pair.
    #[command(after_help = examples::PROVISION)]
    Provision(ProvisionArgs),
    /// Archive accounts and take their pairs down.
    #[command(after_help = examples::TEARDOWN)]
    Teardown(TeardownArgs),
    /// Bring an account back from an archive or a snapshot.
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Move accounts to another tier.
    #[command(after_help = examples::RESIZE)]
    Resize(ResizeArgs),
    /// Push a configuration patch to gateways.
    #[command(after_help = examples::PUSH)]
    Push(PushArgs),
    /// Put back what a rollout changed.
    #[command(after_help = examples::ROLLBACK)]
    Rollback {
        /// The push's operation id; without it the newest push.
        operation: Option<String>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Restart OpenClaw on instances.
    #[command(after_help = examples::RESTART)]
    Restart(RestartArgs),
    /// Make the standby of an account its primary.
    #[command(after_help = examples::FAILOVER)]
    Failover {
        /// Such as acct-0001.
        account: String,
        /// What the audit says about why.
        #[arg(long, value_name = "TEXT", default_value = "asked for on the command line")]
        reason: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Work in progress and past work.
    #[command(subcommand)]
    #[command(after_help = examples::OP)]
    Op(OpCommand),
    /// Questions that wait for a person.
    #[command(subcommand)]
    #[command(after_help = examples::APPROVALS)]
    Approvals(ApprovalsCommand),
    /// Who did what.
    #[command(subcommand)]
    #[command(after_help = examples::AUDIT)]
    Audit(AuditCommand),
    /// Operators, their channel identities and keys.
    #[command(subcommand)]
    #[command(after_help = examples::PEOPLE)]
    People(PeopleCommand),
    /// Secrets of accounts: written, never read.
    #[command(subcommand)]
    #[command(after_help = examples::SECRETS)]
    Secrets(SecretsCommand),
    /// Why something is allowed, refused, or needs a person.
    #[command(subcommand)]
    #[command(after_help = examples::POLICY)]
    Policy(PolicyCommand),
    /// The address of the fleet page, with a link that signs you in once.
    #[command(after_help = examples::PAGE)]
    Page,
    /// A completion script for your shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
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
        /// Only this provider's instances.
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only this region's instances.
        #[arg(long, value_name = "NAME")]
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
        /// How many rows.
        #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
        limit: i64,
    },
    /// Check the whole chain of rows against the signed heads.
    Verify,
}

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

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Takes a tool's name and parameters as JSON; nothing is changed.
    Explain {
        tool: String,
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// The rules in force.
    Rules {
        /// Write them as files into this directory, to be changed there.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Tries rules on a table of cases; nothing is changed.
    Test {
        /// A directory of *.cedar files; the rules in force without it.
        rules: Option<PathBuf>,
        /// A file of cases in TOML; the shipped table without it.
        #[arg(long, value_name = "FILE")]
        cases: Option<PathBuf>,
    },
    /// What the rules of a directory would change; nothing is changed.
    Plan {
        /// A directory of *.cedar files.
        rules: PathBuf,
    },
    /// Shows what the rules of a directory would change, and puts them in force. Only an admin can.
    Apply {
        /// A directory of *.cedar files.
        rules: PathBuf,
        #[command(flatten)]
        consent: Consent,
    },
}
