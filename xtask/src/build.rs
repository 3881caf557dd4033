//! Builds the programs that `up` and the tests run.

use crate::layout::Layout;
use crate::{Outcome, run, say};
use std::process::Command;

pub const PROGRAMS: [&str; 4] = ["clawops", "gatewayforge", "claw-brain", "gf-clawnode"];

pub fn cargo(layout: &Layout) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&layout.repo).env("CARGO_TARGET_DIR", &layout.target);
    cargo
}

/// `release` or `debug`.
pub fn programs(layout: &Layout, profile: &str) -> Outcome<()> {
    say::line(format!("building ({profile}) in {}", layout.target.display()));
    let mut build = cargo(layout);
    // As parts of the workspace they share its choice of features with everything that is built later.
    build.args(["build", "--locked", "--quiet", "--workspace"]);
    if profile == "release" {
        build.arg("--release");
    }
    for program in PROGRAMS {
        build.args(["--bin", program]);
    }
    // Cargo's own bar is the best progress there is, on a terminal.
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        build.env("CARGO_TERM_QUIET", "false");
    }
    run::loud(&mut build)?;
    say::line("built");
    Ok(())
}
