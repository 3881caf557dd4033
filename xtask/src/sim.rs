//! `cargo xtask sim`: builds the simulation for speed and lets it tell as many seeds as are asked for.

use crate::layout::Layout;
use crate::{Outcome, build, run};
use std::process::{Command, ExitCode};

pub fn sim(layout: &Layout, args: &[String]) -> Outcome<ExitCode> {
    let mut building = build::cargo(layout);
    run::loud(building.args(["build", "--locked", "--quiet", "--release", "--package", "gf-sim"]))?;
    let mut telling = Command::new(layout.binary("release", "gf-sim"));
    let status = run::status(telling.args(args).current_dir(&layout.repo))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
