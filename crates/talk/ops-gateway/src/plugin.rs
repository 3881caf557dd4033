//! The plugin as the gateway loads it: JavaScript in the ops gateway's own folder, made from the TypeScript sources.
//!
//! Never checks types; `cargo xtask test` does.

use crate::{Error, Result};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const SOURCES: [&str; 5] = ["src", "build.mjs", "package.json", "openclaw.plugin.json", "tools.json"];

/// Makes `into` from the plugin's folder, unless it is newer than every source.
pub fn build(node: &Path, sources: &Path, into: &Path) -> Result<()> {
    let script = sources.join("build.mjs");
    if !script.exists() {
        return Err(Error::NotInstalled { what: "plugin", path: script });
    }
    // Written last.
    let made = modified(&into.join("package.json"));
    if made.is_some() && SOURCES.iter().all(|name| newest(&sources.join(name)) < made) {
        return Ok(());
    }
    let cannot = |source| Error::Spawn { program: node.into(), source };
    let output = Command::new(node)
        .args(["--disable-warning=ExperimentalWarning".as_ref(), script.as_os_str(), into.as_os_str()])
        .output()
        .map_err(cannot)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::malformed(sources, String::from_utf8_lossy(&output.stderr).trim()))
}

/// Of a file, or of everything in a folder.
fn newest(path: &Path) -> Option<SystemTime> {
    let inside = fs::read_dir(path).into_iter().flatten().flatten();
    inside.filter_map(|entry| modified(&entry.path())).chain(modified(path)).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}
