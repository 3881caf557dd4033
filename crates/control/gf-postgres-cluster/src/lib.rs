//! A PostgreSQL server of a test's own: made in a temporary directory, heard on a socket in it, and ended with the test,
//! however that ends. PostgreSQL refuses to run as root, so root runs it as somebody who may nothing else.
//!
//! For tests alone: it stops at the first surprise, and nothing that ships may depend on it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A machine that is busy with other things may take this long for anything.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct Cluster {
    server: Option<Child>,
    user: Option<(u32, u32)>,
    programs: PathBuf,
    directory: TempDir,
    /// What it is started with besides.
    settings: Vec<String>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Cluster {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut cluster = Self { server: None, user, programs: programs(), directory, settings: Vec::new() };
        let made = cluster
            .command("initdb")
            .args(["--no-sync", "--auth=trust", "--no-locale", "--encoding=UTF8", "--username=gatewayforge"])
            .args(["--no-instructions", "--wal-segsize=1", "--pgdata"])
            .arg(cluster.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.start_again();
        cluster
    }

    /// A copy of this server that follows it, in a directory of its own, and takes no writes until it is promoted.
    pub fn replica(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if let Some((uid, gid)) = self.user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let (user, programs) = (self.user, self.programs.clone());
        let mut replica = Self { server: None, user, programs, directory, settings: Vec::new() };
        let made = replica
            .command("pg_basebackup")
            .args([
                "--no-sync",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--username=gatewayforge",
                "--host",
            ])
            .arg(self.directory.path())
            .arg("--pgdata")
            .arg(replica.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        replica.start_again();
        replica
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A program of PostgreSQL that ends when the thread that started it does, even by a kill.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT", "--"]).arg(self.programs.join(program));
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Starts the server, at first or after a stop, and waits until it answers.
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "it runs");
        let log = self.directory.path().join("log");
        let file = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).arg("-k").arg(self.directory.path());
        server.args(["-c", "listen_addresses=", "-c", "max_connections=40", "-c", "shared_buffers=16MB"]);
        // After a stop it would otherwise sync a thousand files one by one.
        server.args(["-c", "recovery_init_sync_method=syncfs"]);
        for setting in &self.settings {
            server.args(["-c", setting]);
        }
        self.server = Some(server.stdout(Stdio::null()).stderr(file).spawn().unwrap());
        let socket = self.directory.path().to_owned();
        self.until("PostgreSQL answers", |cluster| {
            let server = cluster.server.as_mut().unwrap();
            if let Some(status) = server.try_wait().unwrap() {
                panic!("PostgreSQL ended ({status}): {}", fs::read_to_string(&log).unwrap());
            }
            let mut ask = Command::new(cluster.programs.join("pg_isready"));
            ask.arg("--quiet").arg("--host").arg(&socket).status().unwrap().success()
        });
    }

    /// Stops it and starts it again with these settings.
    pub fn with(&mut self, settings: &[&str]) {
        self.stop();
        self.settings = settings.iter().map(ToString::to_string).collect();
        self.start_again();
    }

    /// A file in its directory that it can read, and nobody else.
    pub fn file(&self, name: &str, text: &[u8]) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((uid, gid)) = self.user {
            chown(&path, Some(uid), Some(gid)).unwrap();
        }
    }

    /// Ends the server at once, as a power cut would: what it has not acknowledged may be lost.
    pub fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        if let Some(pid) = i32::try_from(server.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = server.wait();
    }

    /// An empty database.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    pub fn url(&self, database: &str) -> String {
        let socket = self.directory.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://gatewayforge@{socket}/{database}")
    }

    /// What a statement answers, with bars between columns.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database).args(["--command", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A client of its own, which takes statements from its standard input.
    pub fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        psql.arg("--host").arg(self.directory.path()).args([
            "--username",
            "gatewayforge",
            "--dbname",
            database,
        ]);
        psql
    }

    /// Waits until something is so.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "it never happened that {what}");
            sleep(Duration::from_millis(10));
        }
    }
}

/// Where PostgreSQL's programs are: the newest that Debian has, or those that are found anyway.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    let of_debian = found.pop().map(|(_, bin)| bin);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = || std::env::split_paths(&path).find(|bin| bin.join("initdb").exists());
    of_debian.or_else(elsewhere).expect("PostgreSQL is installed (Debian package postgresql)")
}

/// Whom root runs it as; nobody else has to be another.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("there is a user without rights"))
}
