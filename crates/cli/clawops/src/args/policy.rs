//! The command line of rules. Nothing here acts.

use super::Consent;
use clap::Subcommand;
use std::path::PathBuf;

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
