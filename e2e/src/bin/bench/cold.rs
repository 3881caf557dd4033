//! `cargo xtask up` as somebody has it who cloned the repository on a machine with Rust and npm, and nothing else.
//!
//! Everything that could be left from an earlier build is elsewhere: cargo's home, npm's cache, the target directory, the
//! runtime, the state. It takes minutes and both cores, so it runs only when it is asked for by name, once.

use crate::report::Row;
use crate::stats::timed;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT_MINUTES: f64 = 10.0;
const PORT_BASE: &str = "61000";

pub fn up() -> Vec<Row> {
    let dir = tempfile::Builder::new().prefix("clawops-cold-").tempdir().expect("a temporary directory");
    let clone = dir.path().join("clone");
    run(Command::new("git").args(["clone", "--quiet", "."]).arg(&clone));
    carry_over_registry(dir.path());
    let (took, ()) = timed(|| run(clean(&clone, dir.path()).args(["xtask", "up", "--detach"])));
    run(clean(&clone, dir.path()).args(["xtask", "clawops", "down"]));
    vec![Row {
        name: "cold `cargo xtask up`, everything fetched and built",
        value: took.as_secs_f64() / Duration::from_secs(60).as_secs_f64(),
        unit: "min",
        target: LIMIT_MINUTES,
        how: "one run on a clean clone, with empty homes of cargo, npm and ClawOps".into(),
    }]
}

fn clean(clone: &Path, dir: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(clone)
        .env("CARGO_HOME", dir.join("cargo"))
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .env("npm_config_cache", dir.join("npm"))
        .env("CLAWOPS_HOME", dir.join("home"))
        .env("CLAWOPS_PORT_BASE", PORT_BASE);
    for ours in ["CARGO_TARGET_DIR", "CLAWOPS_SHARE", "CLAWOPS_RUNTIME", "CARGO", "CARGO_MANIFEST_DIR"] {
        cargo.env_remove(ours);
    }
    cargo
}

/// Which registry is asked belongs to the machine and not to what was built on it.
fn carry_over_registry(dir: &Path) {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    std::fs::create_dir_all(dir.join("cargo")).expect("cargo's home");
    if let Some(config) = home.map(|home| home.join("config.toml")).filter(|config| config.exists()) {
        std::fs::copy(config, dir.join("cargo/config.toml")).expect("cargo's configuration");
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|e| panic!("{command:?} cannot be run: {e}"));
    assert!(status.success(), "{command:?} failed: {status}");
}
