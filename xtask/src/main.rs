//! The repository's own commands: `cargo xtask up`, `test`, `bench`, `setup`, `clawops`.
//!
//! Installs what is missing, builds, and runs. It must stay quick to build (a newcomer waits for it first) and must
//! never touch anything outside its cache directory, except Debian packages that only tests need.

mod bench;
mod build;
mod crash;
mod fuzz;
mod layout;
mod lockdir;
mod packages;
mod plugin;
mod run;
mod runtime;
mod say;
mod setup;
mod sim;
mod suite;
mod timings;
mod up;

use layout::Layout;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  up [ARGS]            install what is missing, build, start everything; ARGS go to `clawops up`
  clawops [ARGS]       the operator's command line, built and with the pinned OpenClaw in reach
  setup                only install what is missing
  test [FILTER]        everything that must hold: generated files, Rust tests, the plugin's checks
  sim [ARGS]           tell stories to the control plane: --seeds N (1000), --from S (1), --threads T, --tail LINES
  crash [MOMENTS]      kill the control plane's process at so many moments of each kind of operation; at all by default
  fuzz [SECONDS]       any bytes at frames, patches, signed calls and messages, so long at each (60); needs a nightly compiler
  fuzz-api [EXAMPLES]  schemathesis at a control plane of simulated pairs, so many examples of each route (50)
  bench [NAME]         measure; without a NAME all, and docs/benchmarks.md is written (--json prints JSON,
                       --page writes what was measured there)
";

/// What went wrong, in words for whoever ran the command.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    match dispatch(command.as_deref(), &rest) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Option<&str>, rest: &[String]) -> Outcome<ExitCode> {
    let layout = Layout::find()?;
    match command {
        Some("up") => up::up(&layout, rest),
        Some("clawops") => up::clawops(&layout, rest),
        Some("setup") => setup::all(&layout).map(|()| ExitCode::SUCCESS),
        Some("test") => suite::test(&layout, rest).map(|()| ExitCode::SUCCESS),
        Some("bench") => bench::bench(&layout, rest),
        Some("crash") => crash::everywhere(&layout, rest).map(|()| ExitCode::SUCCESS),
        Some("fuzz") => fuzz::bytes(&layout, rest).map(|()| ExitCode::SUCCESS),
        Some("fuzz-api") => fuzz::api(&layout, rest).map(|()| ExitCode::SUCCESS),
        Some("sim") => sim::sim(&layout, rest),
        None | Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("no command `{other}`\n\n{USAGE}")),
    }
}
