//! The command line of gf-clawnode: `host` or `guest`, each a small single-threaded process.

use clap::{Parser, Subcommand};
use gf_clawnode::{guest, host};
use std::{io::IsTerminal, process::ExitCode, time::Duration};
use tracing_subscriber::EnvFilter;

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
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("CLAWOPS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    // One thread, and short-lived helpers for copying files: a node must hardly be noticed beside OpenClaw.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .thread_stack_size(512 * 1024)
        .build();
    let outcome = match (runtime, Cli::parse().role) {
        (Ok(runtime), Role::Host(options)) => {
            runtime.block_on(host::run(options)).map_err(|why| explain(&why))
        }
        (Ok(runtime), Role::Guest(options)) => {
            runtime.block_on(guest::run(options)).map_err(|why| explain(&why))
        }
        (Err(why), _) => Err(explain(&why)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            ExitCode::FAILURE
        }
    }
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
