//! The command line: names, flags and their help, a file to a topic. Nothing here acts.

mod acts;
mod nodes;
mod people;
mod policy;
mod store;
mod work;

pub use acts::{ProvisionArgs, PushArgs, Reason, ResizeArgs, RestartArgs, RestoreArgs, TeardownArgs};
pub use nodes::{NodesCommand, UpdateArgs};
pub use people::{PeopleCommand, RoleName, SecretsCommand};
pub use policy::PolicyCommand;
pub use store::{StoreCommand, StoreRestoreArgs};
pub use work::{ApprovalsCommand, AuditCommand, DebugWhat, OpCommand};

use crate::examples;
use clap::{Args, Parser, Subcommand};
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
        #[arg(required_unless_present = "provider", conflicts_with_all = ["provider", "region"])]
        account: Option<String>,
        /// Everybody who can leaves this provider, in waves of 20. Ask for its health first.
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only this region of it.
        #[arg(long, value_name = "NAME", requires = "provider")]
        region: Option<String>,
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
    /// Stop all automation at once, and say what that holds back. Once more: what it holds back now.
    #[command(after_help = examples::FREEZE)]
    Freeze {
        /// For whoever finds it frozen.
        #[arg(long, value_name = "TEXT", default_value = "frozen on the command line")]
        reason: String,
    },
    /// Let automation go on, and what the freeze paused.
    #[command(after_help = examples::THAW)]
    Thaw,
    /// One file, without secrets, that says how this ClawOps stands, for whoever helps.
    #[command(after_help = examples::SUPPORT_BUNDLE)]
    SupportBundle {
        /// Where to write it; without it into this directory.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// What stands in the store, read without the control plane: for when it does not answer.
    #[command(after_help = examples::DEBUG)]
    Debug {
        /// What to look at.
        #[arg(value_enum, default_value_t = DebugWhat::Fleet)]
        what: DebugWhat,
        /// How many of a list.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// How long each account was served in a month, the worst first.
    #[command(after_help = examples::SLA)]
    Sla {
        /// Such as 2026-10; without it this month so far.
        #[arg(long, value_name = "MONTH")]
        month: Option<String>,
        /// Only this account.
        #[arg(long)]
        account: Option<String>,
        /// Only those that missed the target of their tier.
        #[arg(long)]
        missed: bool,
        /// How many, at most 1000.
        #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true)]
        limit: i64,
    },
    /// What one request led to, from the question to each step at its provider and machine.
    #[command(after_help = examples::TRACE)]
    Trace {
        /// Its 32 hexadecimal digits, as `op show` and `audit show` tell them.
        trace: String,
    },
    /// Machines: which gf-clawnode each runs, and how they become another one.
    #[command(after_help = examples::NODES)]
    Nodes {
        #[command(subcommand)]
        command: Option<NodesCommand>,
    },
    /// Leave a gateway at the revision that it has: rollouts leave it out.
    #[command(after_help = examples::PIN)]
    Pin {
        /// Such as acct-0001.
        account: String,
        /// For whoever wonders why it was left out.
        #[arg(long, value_name = "TEXT", default_value = "pinned on the command line")]
        reason: String,
    },
    /// Let rollouts reach a gateway again.
    #[command(after_help = examples::UNPIN)]
    Unpin {
        /// Such as acct-0001.
        account: String,
    },
    /// When rollouts and restarts may reach a gateway.
    #[command(after_help = examples::WINDOW)]
    Window {
        /// Such as acct-0001.
        account: String,
        /// UTC, such as 02:00-04:00 or 'sat,sun 01:00-05:00'; without it at any time again.
        when: Option<String>,
    },
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
    /// The control plane's own store: copied, put back, and gone on with after a loss.
    #[command(subcommand)]
    #[command(after_help = examples::STORE)]
    Store(StoreCommand),
    /// Take in what providers and nodes have and the store does not know, after it was lost or put back.
    #[command(after_help = examples::ADOPT)]
    Adopt {
        #[command(flatten)]
        consent: Consent,
    },
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
