//! A gf-clawnode process, and what it left on the disk and in the process table.

use gf_model::InstanceId;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

pub struct Node {
    directory: TempDir,
    child: Child,
}

/// Builds the program once: another crate's program is not built for a test by itself. As a part of the workspace,
/// whose choice of features it then shares; alone it would be built anew with all that it needs.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--workspace", "--bin", "gf-clawnode"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "gf-clawnode does not build");
        let tests = env::current_exe().unwrap();
        tests.parent().and_then(Path::parent).unwrap().join("gf-clawnode")
    })
}

/// A runtime whose "node" sleeps, whatever it is told to run.
fn stand_in(directory: &Path) -> PathBuf {
    let runtime = directory.join("runtime");
    let (node, openclaw) =
        (runtime.join("node/node_modules/.bin"), runtime.join("openclaw/node_modules/openclaw"));
    fs::create_dir_all(&node).unwrap();
    fs::create_dir_all(&openclaw).unwrap();
    fs::write(node.join("node"), "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(node.join("node"), Permissions::from_mode(0o755)).unwrap();
    fs::write(openclaw.join("openclaw.mjs"), "").unwrap();
    fs::write(openclaw.join("package.json"), r#"{"version":"2026.9.6"}"#).unwrap();
    runtime
}

impl Node {
    pub fn start(port: u16, token: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token_file = directory.path().join("token");
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&token_file).unwrap();
        file.write_all(token.as_bytes()).unwrap();
        let child = Command::new(program())
            .args(["host", "--node", "node-local-a", "--provider", "local-a"])
            .arg("--home")
            .arg(directory.path().join("home"))
            .arg("--control")
            .arg(format!("ws://127.0.0.1:{port}/node/v1/link"))
            .arg("--token-file")
            .arg(token_file)
            .arg("--runtime")
            .arg(stand_in(directory.path()))
            .env("CLAWOPS_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { directory, child }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn instances(&self) -> PathBuf {
        self.directory.path().join("home/instances")
    }

    /// How many directories hold an instance of this name.
    pub fn directories(&self, label: &InstanceId) -> usize {
        let named = |entry: &fs::DirEntry| entry.file_name() == label.as_str();
        fs::read_dir(self.instances()).unwrap().filter(|entry| entry.as_ref().is_ok_and(named)).count()
    }

    /// How many processes run on an instance's state.
    pub fn processes(&self, label: &InstanceId) -> usize {
        running_on(&self.instances().join(label.as_str()).join("state")).len()
    }

    /// Something in the instances' directory that no control plane ordered.
    pub fn plant_stranger(&self) {
        fs::create_dir(self.instances().join("somebody's own")).unwrap();
    }
}

/// Processes whose OpenClaw state lies at or under a path.
fn running_on(state: &Path) -> Vec<Pid> {
    let wanted = format!("OPENCLAW_STATE_DIR={}", state.display());
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let ours = environment.split(|byte| *byte == 0).any(|pair| pair.starts_with(wanted.as_bytes()));
        ours.then(|| Pid::from_raw(pid)).flatten()
    });
    processes.collect()
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Instances outlive their node, and must not outlive the test.
        for pid in running_on(&self.instances()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
