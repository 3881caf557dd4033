//! Where Node and OpenClaw lie: a directory with `node/` and `openclaw/`, each an installed npm package tree.

use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

#[derive(Debug, Clone)]
pub struct Runtime {
    root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    version: String,
}

impl Runtime {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The newest one under the user's cache, as `clawops up` installs it.
    pub fn newest() -> Option<Self> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?;
        let candidates = fs::read_dir(cache.join("clawops/runtime")).ok()?;
        candidates
            .filter_map(|entry| Some(Self::at(entry.ok()?.path())))
            .filter(|runtime| runtime.node().exists() && runtime.openclaw().exists())
            .max_by_key(|runtime| {
                fs::metadata(&runtime.root).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
            })
    }

    pub fn node(&self) -> PathBuf {
        self.root.join("node/node_modules/.bin/node")
    }
    pub fn openclaw(&self) -> PathBuf {
        self.root.join("openclaw/node_modules/openclaw/openclaw.mjs")
    }
    pub fn openclaw_package(&self) -> PathBuf {
        self.root.join("openclaw/node_modules/openclaw/package.json")
    }
    /// Node's compiled code, kept for the next boot: one for all gateways of this runtime.
    pub fn compile_cache(&self) -> PathBuf {
        self.root.join("compile-cache")
    }
    /// Where the gateways of this machine queue to boot, whichever node starts them.
    pub fn boots(&self) -> PathBuf {
        self.root.join("boots")
    }
    /// What an instance finds on its `PATH`.
    pub fn path_directories(&self) -> [PathBuf; 2] {
        [self.root.join("node/node_modules/.bin"), self.root.join("openclaw/node_modules/.bin")]
    }
    pub fn openclaw_version(&self) -> Option<String> {
        version_of(&self.openclaw_package())
    }
    pub fn node_version(&self) -> Option<String> {
        version_of(&self.root.join("node/node_modules/node/package.json"))
    }
}

fn version_of(package: &Path) -> Option<String> {
    serde_json::from_slice::<Package>(&fs::read(package).ok()?).ok().map(|package| package.version)
}
