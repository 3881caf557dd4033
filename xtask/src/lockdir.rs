//! One installer at a time, and nobody ever sees a half-made directory.

use crate::{Outcome, say};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// Makes `dir` by filling a temporary neighbour and renaming it; a second caller waits and finds it made.
pub fn make_once(dir: &Path, what: &str, fill: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().ok_or("a directory without a parent")?;
    create_all(parent)?;
    let problem = |e: std::io::Error| format!("cannot prepare {}: {e}", dir.display());
    let lock = File::create(dir.with_extension("lock")).map_err(problem)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say::line(format!("{what}: another run installs it; waiting"));
            lock.lock().map_err(problem)?;
        }
        Err(TryLockError::Error(e)) => return Err(problem(e)),
    }
    if dir.is_dir() {
        return Ok(());
    }
    let half = dir.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half).map_err(problem)?;
    }
    create_all(&half)?;
    fill(&half)?;
    fs::rename(&half, dir).map_err(problem)
}

pub fn create_all(dir: &Path) -> Outcome<()> {
    fs::create_dir_all(dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))
}
