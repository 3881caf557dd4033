//! What is asked of nodes.

use super::Consent;
use crate::examples;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum NodesCommand {
    /// All of them, as it is without a command.
    List,
    /// Have them become another release of gf-clawnode, ring by ring; gateways run on.
    #[command(after_help = examples::NODES)]
    Update(UpdateArgs),
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Only these; without any, all that run something older.
    pub nodes: Vec<String>,
    /// A version that lies in the control plane's releases.
    #[arg(long, value_name = "VERSION")]
    pub to: String,
    /// How many nodes the first rings have; 1,10 by default.
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    pub rings: Option<Vec<u32>>,
    /// How many each ring after those has; 100 by default.
    #[arg(long, value_name = "N")]
    pub ring_size: Option<u32>,
    /// How long each ring must be well before the next one begins, in seconds.
    #[arg(long, value_name = "SECONDS")]
    pub settle: Option<u32>,
    /// Show what would happen and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub consent: Consent,
}
