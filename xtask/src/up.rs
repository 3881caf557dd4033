//! `cargo xtask up`: from a clean clone to the chat prompt.

use crate::layout::Layout;
use crate::{Outcome, build, run, runtime};
use std::process::{Command, ExitCode};
use std::thread;

pub fn up(layout: &Layout, args: &[String]) -> Outcome<ExitCode> {
    runtime::can_be_installed(layout)?;
    // npm waits for the network while the compiler waits for nothing: side by side.
    thread::scope(|scope| {
        let installed = scope.spawn(|| runtime::install(layout));
        let built = build::programs(layout, "release");
        let installed = installed.join().map_err(|_| "the installer panicked".to_owned())?;
        installed.and(built)
    })?;
    let mut all = vec!["up".to_owned()];
    all.extend_from_slice(args);
    run_clawops(layout, &all)
}

pub fn clawops(layout: &Layout, args: &[String]) -> Outcome<ExitCode> {
    if !layout.binary("release", "clawops").exists() {
        runtime::install(layout)?;
        build::programs(layout, "release")?;
    }
    run_clawops(layout, args)
}

fn run_clawops(layout: &Layout, args: &[String]) -> Outcome<ExitCode> {
    let mut clawops = Command::new(layout.binary("release", "clawops"));
    clawops.args(args);
    environment(layout, &mut clawops)?;
    let status = run::status(&mut clawops)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What the programs cannot find by themselves when they run out of a target directory.
pub fn environment<'a>(layout: &Layout, command: &'a mut Command) -> Outcome<&'a mut Command> {
    Ok(command
        .env("PATH", layout.path()?)
        .env("CLAWOPS_SHARE", &layout.repo)
        .env("CARGO_TARGET_DIR", &layout.target))
}
