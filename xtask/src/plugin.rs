//! The plugin's own checks: TypeScript types and its tests, with the pinned Node.

use crate::layout::Layout;
use crate::{Outcome, lockdir, run, runtime, say};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn dir(layout: &Layout) -> PathBuf {
    layout.repo.join("plugin/openclaw-clawops")
}

/// Installs what the type check needs, again only when the lock file is newer than what is installed.
pub fn install(layout: &Layout) -> Outcome<()> {
    let dir = dir(layout);
    let modified = |path: PathBuf| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let wanted = modified(dir.join("package-lock.json"))
        .ok_or_else(|| format!("{} has no package-lock.json", dir.display()))?;
    if modified(dir.join("node_modules/.package-lock.json")).is_some_and(|installed| installed >= wanted) {
        return Ok(());
    }
    let logs = layout.cache.join("logs");
    lockdir::create_all(&logs)?;
    let mut npm = runtime::npm_ci(&dir);
    let npm = runtime::with_first_in_path(&mut npm, &layout.node_bin())?;
    run::logged("installing the plugin's type checker", &logs.join("npm-plugin.log"), npm)
}

pub fn check(layout: &Layout) -> Outcome<()> {
    let dir = dir(layout);
    say::line("plugin: types");
    let mut types = Command::new("npm");
    types.args(["run", "--silent", "check"]).current_dir(&dir).env("PATH", layout.path()?);
    run::loud(types.env("CLAWOPS_RUNTIME", &layout.runtime))?;
    say::line("plugin: tests");
    let mut tests = Command::new("npm");
    tests.args(["test", "--silent"]).current_dir(&dir).env("PATH", layout.path()?);
    run::loud(&mut tests)
}
