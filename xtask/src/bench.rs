//! `cargo xtask bench`: builds for speed, then lets the bench program of `e2e` measure.

use crate::layout::Layout;
use crate::{Outcome, build, packages, run, runtime, up};
use std::process::{Command, ExitCode};

pub fn bench(layout: &Layout, args: &[String]) -> Outcome<ExitCode> {
    runtime::install(layout)?;
    if is_asked_for("links", args) {
        packages::install(layout, &packages::LINKS_ARE_MEASURED_AGAINST)?;
    }
    if is_asked_for("takeover", args) {
        packages::install(layout, &packages::TAKEOVERS_NEED)?;
    }
    build::programs(layout, "release")?;
    let mut harness = build::cargo(layout);
    run::loud(harness.args([
        "build",
        "--locked",
        "--quiet",
        "--release",
        "--package",
        "clawops-e2e",
        "--package",
        "gf-scale",
        "--bins",
    ]))?;
    let mut bench = Command::new(layout.binary("release", "clawops-bench"));
    bench.args(args).current_dir(&layout.repo);
    let status = run::status(up::environment(layout, &mut bench)?)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Without a name all are.
fn is_asked_for(name: &str, args: &[String]) -> bool {
    let mut names = args.iter().filter(|arg| !arg.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|asked| asked == name)
}
