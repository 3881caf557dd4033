//! One ClawOps in a temporary home with ports of its own.

use crate::processes::{self, Process};
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PORTS: u16 = 2000;
const FIRST_BASE: u16 = 10_000;
/// Below the ports that the system lends to outgoing connections: one of those could be in the way of a restart.
const LAST_BASE: u16 = 30_000;

pub struct Universe {
    dir: tempfile::TempDir,
    home: PathBuf,
    port_base: u16,
}

impl Universe {
    /// A home in which nothing was ever started.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("clawops-e2e-").tempdir();
        let dir = dir.unwrap_or_else(|e| panic!("no temporary directory: {e}"));
        let home = dir.path().join("home");
        Self { dir, home, port_base: free_base() }
    }

    /// Everything is up and a person can talk.
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    pub fn up_with(args: &[&str]) -> Self {
        let universe = Self::empty();
        universe.start(args);
        universe
    }

    /// `clawops up --detach`; what it says of itself.
    pub fn start(&self, args: &[&str]) -> Value {
        self.json(&[&["up", "--detach"], args].concat())
    }

    /// What an operator may choose before `up`.
    pub fn settings(&self, settings: &Value) {
        let path = self.home.join("settings.json");
        let written =
            std::fs::create_dir_all(&self.home).and_then(|()| std::fs::write(&path, settings.to_string()));
        written.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    pub fn home(&self) -> &Path {
        &self.home
    }
    pub fn port_base(&self) -> u16 {
        self.port_base
    }
    /// A directory beside the home, for a test's own files.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }
    pub fn control_plane(&self) -> String {
        format!("127.0.0.1:{}", self.port_base + 10)
    }
    pub fn ops_gateway(&self) -> String {
        format!("127.0.0.1:{}", self.port_base + 20)
    }
    pub fn key(&self, name: &str) -> String {
        let path = self.home.join("keys").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).trim().to_owned()
    }
    pub fn share(&self) -> PathBuf {
        let set = std::env::var_os("CLAWOPS_SHARE").map(PathBuf::from);
        set.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
    }
    pub fn runtime(&self) -> PathBuf {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let set = std::env::var_os("CLAWOPS_RUNTIME").map(PathBuf::from);
        set.unwrap_or_else(|| home.join(".cache/clawops/runtime/current"))
    }

    pub fn processes(&self) -> Vec<Process> {
        processes::of(&self.home)
    }

    /// The process that `clawops up` started under this name.
    pub fn pid(&self, name: &str) -> i32 {
        let path = self.home.join("run").join(format!("{name}.json"));
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let run: Value = serde_json::from_slice(&text).unwrap_or_default();
        run["pid"]
            .as_i64()
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap_or_else(|| panic!("{name} has no pid"))
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&self, name: &str) {
        let pid = self.pid(name);
        processes::signal(pid, rustix::process::Signal::KILL);
        crate::wait::until("a killed process is gone", Duration::from_secs(10), || {
            (!processes::lives(pid)).then_some(())
        });
    }
}

impl Drop for Universe {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        let _ = self.command().arg("down").output();
        // Whatever is left was orphaned by a kill; it carries this home in its environment.
        for process in self.processes() {
            process.kill();
        }
        if std::thread::panicking() && std::env::var_os("CLAWOPS_E2E_KEEP").is_some() {
            self.dir.disable_cleanup(true);
            eprintln!("kept for a look: {}", self.dir.path().display());
        }
    }
}

impl Universe {
    fn show_logs(&self) {
        for entry in std::fs::read_dir(self.home.join("logs")).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = &lines[lines.len().saturating_sub(40)..];
            eprintln!("── the end of {} ──\n{}", entry.path().display(), tail.join("\n"));
        }
    }
}

/// A base whose first ports nobody uses; other tests of this machine start their search elsewhere.
fn free_base() -> u16 {
    let steps = u32::from((LAST_BASE - FIRST_BASE) / PORTS);
    let start = std::process::id() % steps;
    let bases =
        (0..steps).map(|step| FIRST_BASE + PORTS * u16::try_from((start + step) % steps).unwrap_or_default());
    let free = |base: u16| {
        [10, 11, 20, 100].iter().all(|port| TcpListener::bind(("127.0.0.1", base + port)).is_ok())
    };
    bases.into_iter().find(|base| free(*base)).unwrap_or_else(|| panic!("no free range of ports"))
}
