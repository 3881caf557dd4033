//! Finds and runs programs, with a limit on their time and on what they print.

use super::policy;
use crate::{
    host::{Failure, Outcome},
    redact,
};
use gf_node_proto::{ExecOutput, FailureCode};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command};

const PATIENCE: Duration = Duration::from_secs(30);
/// An image may come from far away.
pub(super) const LONG: Duration = Duration::from_secs(600);
const MOST_OUTPUT: u64 = 64 * 1024;
/// Where programs of the system lie; the environment's `PATH` is not asked.
const SYSTEM: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Where the programs of this machine are looked for.
#[derive(Debug, Clone)]
pub struct Programs {
    directories: Vec<PathBuf>,
    /// Where the machine's configuration lies: `/`.
    pub(super) root: PathBuf,
}

/// What a program printed, not redacted yet: for reading here, never for sending.
pub(super) struct Printed {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
}

impl Programs {
    pub fn of_the_system() -> Self {
        Self { directories: SYSTEM.iter().map(PathBuf::from).collect(), root: "/".into() }
    }

    #[cfg(test)]
    pub(super) fn below(root: &Path) -> Self {
        Self { directories: vec![root.join("bin")], root: root.to_owned() }
    }

    /// Runs what an operator asked for, if the table allows it.
    pub async fn exec(&self, argv: &[String]) -> Outcome<ExecOutput> {
        policy::check(argv).map_err(|why| Failure::new(FailureCode::Refused, why))?;
        let printed = self.run(argv, PATIENCE).await?;
        Ok(ExecOutput {
            exit_code: printed.code,
            stdout: redacted(&printed.stdout),
            stderr: redacted(&printed.stderr),
            truncated: printed.truncated,
        })
    }

    pub(super) fn has(&self, program: &str) -> bool {
        self.find(program).is_some()
    }

    /// Runs what one of the node's own commands needs, whatever it says.
    pub(super) async fn own(&self, argv: &[&str], patience: Duration) -> Outcome<Printed> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        policy::check_own(&argv).map_err(|why| Failure::new(FailureCode::Refused, why))?;
        self.run(&argv, patience).await
    }

    /// The same, where anything but success is a failure in the program's own words.
    pub(super) async fn own_output(&self, argv: &[&str], patience: Duration) -> Outcome<String> {
        let printed = self.own(argv, patience).await?;
        if printed.code == 0 { Ok(printed.stdout) } else { Err(printed.failure(argv)) }
    }

    pub(super) async fn ask(&self, argv: &[&str]) -> Outcome<String> {
        self.own_output(argv, PATIENCE).await
    }

    /// Restarts the machine. Whether that may be is decided by whoever calls.
    pub async fn reboot(&self) -> Outcome<()> {
        self.ask(&["systemctl", "reboot"]).await.map(drop)
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        self.directories.iter().map(|directory| directory.join(program)).find(|path| path.is_file())
    }

    async fn run(&self, argv: &[String], patience: Duration) -> Outcome<Printed> {
        let (program, args) =
            argv.split_first().ok_or_else(|| Failure::new(FailureCode::Refused, "no program was named"))?;
        let path = self.find(program).ok_or_else(|| missing(program))?;
        run(&path, args, patience).await
    }
}

pub(super) fn missing(program: &str) -> Failure {
    let mut failure =
        Failure::new(FailureCode::NotInstalled, format!("{program} is not installed on this machine"));
    failure.0.field = "program".into();
    failure.0.value = program.to_owned();
    failure.0.fix = format!("install {program}, or do not ask this node for it");
    failure
}

impl Printed {
    pub(super) fn failure(&self, argv: &[&str]) -> Failure {
        let said = [&self.stderr, &self.stdout].into_iter().find(|text| !text.trim().is_empty());
        let said = said.map_or("nothing", |text| text.trim());
        Failure::new(
            FailureCode::Program,
            format!("{} ended with {}: {}", argv.join(" "), self.code, redacted(said)),
        )
    }
}

async fn run(path: &Path, args: &[String], patience: Duration) -> Outcome<Printed> {
    let mut child = Command::new(path)
        .args(args)
        .env_clear()
        .env("PATH", SYSTEM.join(":"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| Failure::new(FailureCode::Io, format!("{}: {why}", path.display())))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(read(stdout), read(stderr)) };
    let late = |_| {
        Failure::new(FailureCode::TimedOut, format!("{} did not end within {patience:?}", path.display()))
    };
    let (out, err) = tokio::time::timeout(patience, work).await.map_err(late)?;
    // Whoever still writes after the limit would wait for ever.
    let truncated = out.len() as u64 > MOST_OUTPUT || err.len() as u64 > MOST_OUTPUT;
    if truncated {
        let _ = child.kill().await;
    }
    let status = tokio::time::timeout(patience, child.wait()).await.map_err(late)??;
    Ok(Printed { code: status.code().unwrap_or(-1), stdout: text(&out), stderr: text(&err), truncated })
}

async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What was read before an error is still worth showing.
        let _ = stream.take(MOST_OUTPUT + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_OUTPUT as usize)]).into_owned()
}

fn redacted(text: &str) -> String {
    text.lines().map(|line| redact::line(line, &[])).collect::<Vec<_>>().join("\n")
}

/// A machine of a test's own, on which a program prints what it was recorded to print.
#[cfg(test)]
pub(super) mod stage {
    use super::Programs;
    use std::{fs, os::unix::fs::PermissionsExt};
    use tempfile::TempDir;

    pub fn empty() -> (TempDir, Programs) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        let programs = Programs::below(dir.path());
        (dir, programs)
    }

    pub fn install(dir: &TempDir, program: &str, script: &str) {
        let path = dir.path().join("bin").join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program that prints a file of `testdata` when it is called with exactly these arguments.
    pub fn recorded(dir: &TempDir, program: &str, args: &str, file: &str) {
        let file = format!("{}/testdata/{file}", env!("CARGO_MANIFEST_DIR"));
        install(dir, program, &format!("[ \"$*\" = '{args}' ] || exit 64\ncat '{file}'"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn an_allowed_program_answers() {
        let output = Programs::of_the_system().exec(&argv("uname -a")).await.unwrap();
        assert_eq!(output.exit_code, 0);
        assert!(output.stdout.contains("Linux"), "{output:?}");
    }

    #[tokio::test]
    async fn a_refused_one_is_not_run() {
        let why = Programs::of_the_system().exec(&argv("docker run -v /:/h alpine")).await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Refused);
    }

    #[tokio::test]
    async fn what_is_missing_is_said_to_be_missing() {
        let (_dir, programs) = stage::empty();
        let why = programs.exec(&argv("uptime")).await.unwrap_err();
        assert_eq!((why.code(), why.0.value.as_str()), (FailureCode::NotInstalled, "uptime"));
        assert_eq!(programs.reboot().await.unwrap_err().code(), FailureCode::NotInstalled);
    }

    #[tokio::test]
    async fn a_failing_program_is_quoted_without_its_secrets() {
        let (dir, programs) = stage::empty();
        stage::install(&dir, "systemctl", "echo 'denied, token=abcdefgh12345' >&2; exit 4");
        let why = programs.reboot().await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Program);
        assert!(why.0.message.contains("ended with 4") && why.0.message.contains("denied"), "{why}");
        assert!(!why.0.message.contains("abcdefgh12345"), "{why}");
    }
}
