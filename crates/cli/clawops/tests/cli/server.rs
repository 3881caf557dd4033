//! A control plane in a home of its own, and `clawops` pointed at it.

use serde_json::Value;
use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

/// Builds the program once: another crate's program is not built for a test by itself.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--workspace", "--bin", "gatewayforge"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "gatewayforge does not build");
        Path::new(env!("CARGO_BIN_EXE_clawops")).with_file_name("gatewayforge")
    })
}

pub struct Server {
    pub directory: TempDir,
    /// Its name in the directory.
    home: String,
    process: Child,
    /// Ten below where it listens.
    port_base: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a command came to.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

fn launch(home: &Path, arguments: &[&str]) -> (Child, u16) {
    let mut command = Command::new(program());
    command.arg("--home").arg(home).args(["--listen", "127.0.0.1:0"]).args(arguments);
    forget_ours(&mut command);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{line:?}: {why}"));
    let port: u16 = ready["endpoint"].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap();
    (process, port - 10)
}

/// What is set where the tests run must not reach what they run.
fn forget_ours(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CLAWOPS_") {
            command.env_remove(name);
        }
    }
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = "home".to_owned();
        let (process, port_base) = launch(&directory.path().join(&home), arguments);
        Self { directory, home, process, port_base }
    }

    pub fn home(&self) -> PathBuf {
        self.directory.path().join(&self.home)
    }

    /// From now on another home is meant.
    pub fn moves_to(&mut self, home: &str) {
        self.home = home.to_owned();
    }

    /// As a power cut ends it.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn start_again(&mut self, arguments: &[&str]) {
        (self.process, self.port_base) = launch(&self.home(), arguments);
    }

    /// As a power cut ends it, and another one on the same state.
    pub fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again(&[]);
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_as(None, arguments)
    }

    /// With somebody's own key instead of the first admin's.
    pub fn run_as(&self, key: Option<&str>, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clawops"));
        forget_ours(&mut command);
        command.arg("--home").arg(self.home());
        command.args(["--port-base", &self.port_base.to_string()]).args(arguments);
        command.envs(key.map(|key| ("CLAWOPS_KEY", key))).env("TZ", "UTC").stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command that must go well prints.
    pub fn good(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.good(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|why| panic!("{said}: {why}"))
    }
}
