//! `cargo xtask crash`: the crash tests of the control plane's process, at every moment instead of a few.

use crate::layout::Layout;
use crate::{Outcome, build, packages, run, up};

/// The tests read how many moments of each operation's calls they shall try.
const MOMENTS: &str = "CLAWOPS_CRASH_MOMENTS";

pub fn everywhere(layout: &Layout, args: &[String]) -> Outcome<()> {
    let moments = match args {
        [] => u32::MAX,
        [count] => count.parse().map_err(|_| format!("{count:?} is no number of moments"))?,
        [_, more, ..] => {
            return Err(format!("{more:?} is too much: give one number of moments, or none for all"));
        }
    };
    packages::install(layout, &packages::TESTS_NEED)?;
    let mut tests = build::cargo(layout);
    tests.args(["test", "--locked", "--quiet", "--package", "gatewayforge", "--test", "process", "crash::"]);
    tests.args(["--", "--nocapture"]).env(MOMENTS, moments.to_string());
    run::loud(up::environment(layout, &mut tests)?)
}
