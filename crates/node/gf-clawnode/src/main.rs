//! The command line of gf-clawnode: `host` or `guest`, each a small single-threaded process.

use clap::{Parser, Subcommand};
use gf_clawnode::{guard, guest, host, lives};
use std::{io::IsTerminal, process::ExitCode};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    prelude::*,
};

#[derive(Parser)]
#[command(name = "gf-clawnode", version, about = "Makes, starts, watches and copies OpenClaw instances")]
struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Serve the control plane on this machine.
    Host(host::Options),
    /// Sit with one instance and answer it, without secrets.
    Guest(guest::Options),
    /// Stand beside a host: started by it, never by hand.
    #[command(hide = true)]
    Guard(guard::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().role {
        Role::Host(options) => {
            log();
            lives::run(options)
        }
        Role::Guest(options) => {
            log();
            match lives::serve(guest::run(options)) {
                Ok(served) => served.map_err(|why| lives::explain(&why)),
                Err(why) => Err(lives::explain(&why)),
            }
        }
        Role::Guard(options) => guard::run(&options).map_err(|why| lives::explain(&why)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn log() {
    let printed = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(wanted());
    tracing_subscriber::registry().with(printed).init();
}

/// What `CLAWOPS_LOG` asks for, such as `info` or `gf_clawnode=debug`. The filter of the other programs can do more and
/// is a fifth of this one's size.
fn wanted() -> Targets {
    let asked = std::env::var("CLAWOPS_LOG").ok().and_then(|asked| asked.parse().ok());
    asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}
