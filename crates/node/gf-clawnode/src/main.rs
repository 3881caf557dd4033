//! The command line of gf-clawnode: `host` or `guest`, each a small single-threaded process.

use clap::{Parser, Subcommand};
use gf_clawnode::{guard, guest, host};
use std::{io::IsTerminal, process::ExitCode, time::Duration};
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
        Role::Host(options) => serve(host::run(options)),
        Role::Guest(options) => serve(guest::run(options)),
        Role::Guard(options) => guard::run(&options).map_err(|why| explain(&why)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn serve<E: std::error::Error>(role: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    let printed = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(wanted());
    tracing_subscriber::registry().with(printed).init();
    // One thread, and short-lived helpers for copying files: a node must hardly be noticed beside OpenClaw.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .thread_stack_size(512 * 1024)
        .build();
    runtime.map_err(|why| explain(&why))?.block_on(role).map_err(|why| explain(&why))
}

/// What `CLAWOPS_LOG` asks for, such as `info` or `gf_clawnode=debug`. The filter of the other programs can do more and
/// is a fifth of this one's size.
fn wanted() -> Targets {
    let asked = std::env::var("CLAWOPS_LOG").ok().and_then(|asked| asked.parse().ok());
    asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

/// An error and what caused it, in one line.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
