//! The pinned Node and OpenClaw, from npm, into the cache.
//!
//! Node comes first: OpenClaw refuses to be installed by an older one. Neither is ever changed after it was installed;
//! another lock file gets another directory.

use crate::layout::Layout;
use crate::{Outcome, lockdir, run, say};
use std::fs;
use std::path::Path;
use std::process::Command;

pub fn install(layout: &Layout) -> Outcome<()> {
    lockdir::make_once(&layout.runtime, "Node and OpenClaw", |half| {
        say::line("Node and OpenClaw are missing: installing them from npm (once)");
        copy_manifest(layout, "node", half)?;
        copy_manifest(layout, "openclaw", half)?;
        let logs = layout.cache.join("logs");
        lockdir::create_all(&logs)?;

        run::logged("installing Node", &logs.join("npm-node.log"), &mut npm_ci(&half.join("node")))?;
        let node = half.join("node/node_modules/.bin");
        let mut openclaw = npm_ci(&half.join("openclaw"));
        run::logged(
            "installing OpenClaw",
            &logs.join("npm-openclaw.log"),
            with_first_in_path(&mut openclaw, &node)?,
        )
    })?;
    point_current_at(layout)?;
    check(layout)
}

/// Says at once, and not after minutes of building, that nothing can be installed.
pub fn can_be_installed(layout: &Layout) -> Outcome<()> {
    if layout.runtime.is_dir() {
        return Ok(());
    }
    run::output(Command::new("npm").arg("--version")).map(drop)
}

fn copy_manifest(layout: &Layout, name: &str, into: &Path) -> Outcome<()> {
    let from = layout.repo.join("runtime").join(name);
    let to = into.join(name);
    lockdir::create_all(&to)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(from.join(file), to.join(file))
            .map_err(|e| format!("cannot copy {}: {e}", from.join(file).display()))?;
    }
    Ok(())
}

pub fn npm_ci(dir: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(dir);
    npm
}

pub fn with_first_in_path<'a>(command: &'a mut Command, dir: &Path) -> Outcome<&'a mut Command> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(dir.to_owned()).chain(std::env::split_paths(&rest)))
        .map_err(|e| e.to_string())?;
    Ok(command.env("PATH", path))
}

/// `runtime/current` is where a `clawops` that was started by hand looks.
fn point_current_at(layout: &Layout) -> Outcome<()> {
    let current = layout.cache.join("runtime/current");
    if fs::read_link(&current).is_ok_and(|target| target == layout.runtime) {
        return Ok(());
    }
    let fresh = layout.cache.join(format!("runtime/current.{}", std::process::id()));
    let problem = |e: std::io::Error| format!("cannot point {} at the runtime: {e}", current.display());
    std::os::unix::fs::symlink(&layout.runtime, &fresh).map_err(problem)?;
    fs::rename(&fresh, &current).map_err(problem)
}

fn check(layout: &Layout) -> Outcome<()> {
    let openclaw = layout.openclaw_bin().join("openclaw");
    let said =
        run::output(Command::new(openclaw).arg("--version").env("PATH", layout.path()?)).map_err(|why| {
            format!(
                "the installed OpenClaw does not start: {why}\nremove {} and try again",
                layout.runtime.display()
            )
        })?;
    say::line(format!("{} in {}", said.trim(), layout.runtime.display()));
    Ok(())
}
