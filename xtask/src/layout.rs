//! Where things are: the clone, and the cache beside it that survives a fresh clone.

use crate::Outcome;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub struct Layout {
    /// The clone.
    pub repo: PathBuf,
    /// `~/.cache/clawops`
    pub cache: PathBuf,
    /// Cargo's target directory: outside the clone, so that a fresh clone starts warm.
    pub target: PathBuf,
    /// Node and OpenClaw of exactly the two lock files in `runtime/`.
    pub runtime: PathBuf,
}

impl Layout {
    pub fn find() -> Outcome<Self> {
        // Asked when it runs, not when it was built: clones that share a target directory share this program too.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
        let manifest = manifest.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let repo = manifest.parent().ok_or("xtask has no parent directory")?;
        let cache = cache_dir()?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) if !dir.is_empty() => std::path::absolute(dir).map_err(|e| e.to_string())?,
            _ => cache.join("target"),
        };
        let runtime = cache.join("runtime").join(lock_hash(repo)?);
        Ok(Self { repo: repo.to_owned(), cache, target, runtime })
    }

    pub fn node_bin(&self) -> PathBuf {
        self.runtime.join("node/node_modules/.bin")
    }

    pub fn openclaw_bin(&self) -> PathBuf {
        self.runtime.join("openclaw/node_modules/.bin")
    }

    pub fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name)
    }

    /// `PATH` with the pinned Node and OpenClaw before everything else.
    pub fn path(&self) -> Outcome<OsString> {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let first = [self.node_bin(), self.openclaw_bin()];
        std::env::join_paths(first.into_iter().chain(std::env::split_paths(&rest))).map_err(|e| e.to_string())
    }
}

fn cache_dir() -> Outcome<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("clawops"))
        .ok_or_else(|| "HOME is not set; set it to your home directory".into())
}

/// Another lock file is another directory, so that an upgrade never changes an OpenClaw under a running fleet.
fn lock_hash(repo: &Path) -> Outcome<String> {
    // FNV-1a: names a directory, guards nothing; npm checks the packages' own hashes.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for name in ["node", "openclaw"] {
        let path = repo.join("runtime").join(name).join("package-lock.json");
        let bytes = std::fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("{hash:016x}"))
}
