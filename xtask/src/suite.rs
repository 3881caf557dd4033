//! `cargo xtask test`: everything that must hold. An OpenClaw that does not start fails it; nothing is skipped.

use crate::layout::Layout;
use crate::{Outcome, build, plugin, run, say, setup, timings, up};
use std::process::Command;

pub fn test(layout: &Layout, filter: &[String]) -> Outcome<()> {
    setup::all(layout)?;
    build::programs(layout, "debug")?;
    rust(layout, filter)?;
    plugin::check(layout)?;
    say::line("all tests passed");
    Ok(())
}

fn rust(layout: &Layout, filter: &[String]) -> Outcome<()> {
    let mut compile = build::cargo(layout);
    compile.args(["test", "--workspace", "--locked", "--no-run", "--quiet", "--timings"]);
    run::loud(&mut compile)?;
    timings::slowest_builds(layout);

    let mut tests = build::cargo(layout);
    if has_nextest() {
        tests.args(["nextest", "run", "--workspace", "--locked"]).args(filter);
    } else {
        say::line("cargo-nextest is not installed: running with cargo test, one test at a time");
        tests.args(["test", "--workspace", "--locked"]).args(filter);
        tests.env("RUST_TEST_THREADS", "1");
    }
    let ran = run::loud(up::environment(layout, &mut tests)?);
    timings::slowest_tests(layout);
    ran
}

fn has_nextest() -> bool {
    run::output(Command::new("cargo").args(["nextest", "--version"])).is_ok()
}
