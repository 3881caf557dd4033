//! The installed Node.js and OpenClaw, and which release it is.

use crate::{Error, Result};
use openclaw_client::version;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Programs to run and packages to load, all of them found to exist.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub node: PathBuf,
    /// OpenClaw's launcher; run it with [`Runtime::node`].
    pub openclaw: PathBuf,
    /// Node's compiled code, kept for the next start. One for all gateways of this runtime.
    pub compile_cache: PathBuf,
}

impl Runtime {
    /// Finds the programs below `dir` and refuses another release of OpenClaw than the supported one.
    pub fn at(dir: &Path) -> Result<Self> {
        let packages = dir.join("openclaw/node_modules");
        let existing = |what, path: PathBuf| {
            if path.exists() { Ok(path) } else { Err(Error::NotInstalled { what, path }) }
        };
        let node = existing("Node.js", dir.join("node/node_modules/.bin/node"))?;
        let openclaw = existing("OpenClaw", packages.join("openclaw/openclaw.mjs"))?;
        let package = packages.join("openclaw/package.json");
        let text = crate::files::read(&package)?;
        let manifest: Value = serde_json::from_str(&text).map_err(|e| Error::malformed(&package, e))?;
        version::check(manifest["version"].as_str().unwrap_or("unknown"))?;
        Ok(Self { node, openclaw, compile_cache: dir.join("compile-cache") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_missing_or_other_openclaw_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Runtime::at(dir.path()), Err(Error::NotInstalled { what: "Node.js", .. })));
        let openclaw = dir.path().join("openclaw/node_modules/openclaw");
        fs::create_dir_all(dir.path().join("node/node_modules/.bin")).unwrap();
        fs::create_dir_all(&openclaw).unwrap();
        fs::write(dir.path().join("node/node_modules/.bin/node"), "").unwrap();
        fs::write(openclaw.join("openclaw.mjs"), "").unwrap();
        fs::write(openclaw.join("package.json"), r#"{"version":"2026.8.1"}"#).unwrap();
        let refusal = Runtime::at(dir.path()).unwrap_err().to_string();
        assert!(refusal.contains("2026.8.1") && refusal.contains("2026.9.6"), "{refusal}");
    }
}
