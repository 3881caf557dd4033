//! The processes that this machine's ClawOps is made of: who they are, whether they live, how they start and end.
//!
//! A process is its pid *and* the moment it started, so that a pid which the system gave to somebody else is never
//! taken for ours, and never signalled.

use crate::home::Home;
use crate::problem::{Problem, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What `run/<process>.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    pub pid: i32,
    /// In clock ticks since boot, as `/proc/<pid>/stat` has it.
    pub start_time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// How to start a process. Secrets are never among the arguments.
#[derive(Debug)]
pub struct Spec {
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(String, OsString)>,
    pub endpoint: Option<SocketAddr>,
}

/// The process of that name, if it is alive.
pub fn alive(home: &Home, name: &str) -> Option<Running> {
    let text = fs::read(home.run(name)).ok()?;
    let running: Running = serde_json::from_slice(&text).ok()?;
    (start_time(running.pid) == Some(running.start_time)).then_some(running)
}

pub fn remember(home: &Home, name: &str, running: &Running) -> Result<()> {
    let path = home.run(name);
    let half = path.with_extension("half");
    let text = serde_json::to_vec_pretty(running).unwrap_or_default();
    fs::write(&half, text).and_then(|()| fs::rename(&half, &path)).map_err(|e| Problem::file(&path, e))
}

pub fn forget(home: &Home, name: &str) {
    let _ = fs::remove_file(home.run(name));
}

/// When a living process started; `None` for one that is gone or only waits to be reaped.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything, also spaces and parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// Starts it in a process group of its own, with its output in its log, so that it outlives this program and the
/// terminal.
pub fn start(home: &Home, spec: &Spec) -> Result<Child> {
    let log = home.log(&spec.name);
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
    let file = file.map_err(|e| Problem::file(&log, e))?;
    let also = file.try_clone().map_err(|e| Problem::file(&log, e))?;
    let child = Command::new(&spec.program)
        .args(&spec.args)
        .envs(spec.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(also)
        .process_group(0)
        .spawn()
        .map_err(|e| Problem::Start {
            process: spec.name.clone(),
            problem: match e.kind() {
                ErrorKind::NotFound => format!("is not installed: there is no {}", spec.program.display()),
                _ => format!("cannot be started: {e}"),
            },
        })?;
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let endpoint = spec.endpoint.map(|addr| format!("http://{addr}"));
    let running = Running { pid, start_time: start_time(pid).unwrap_or_default(), endpoint };
    remember(home, &spec.name, &running)?;
    Ok(child)
}

/// Asks it to end, waits, and ends it if it does not. True when it ended by itself.
pub fn stop(running: &Running, within: Duration) -> bool {
    let Some(pid) = Pid::from_raw(running.pid) else { return true };
    let ours = || start_time(running.pid) == Some(running.start_time);
    if !ours() {
        return true;
    }
    let _ = kill_process(pid, Signal::TERM);
    let asked = Instant::now();
    while ours() {
        if asked.elapsed() > within {
            let _ = kill_process(pid, Signal::KILL);
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// The last lines of a log, for a message about a process that did not start.
pub fn log_tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(home: &Home) -> Child {
        let spec = Spec {
            name: "sleeper".into(),
            program: "sleep".into(),
            args: vec!["60".into()],
            env: vec![],
            endpoint: None,
        };
        start(home, &spec).unwrap()
    }

    #[test]
    fn a_process_is_known_by_its_pid_and_start_and_a_reused_pid_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::find(Some(dir.path().into()), None).unwrap();
        home.create().unwrap();
        let mut child = sleeper(&home);
        let running = alive(&home, "sleeper").expect("it was just started");

        let somebody_else = Running { start_time: running.start_time + 1, ..running.clone() };
        assert!(stop(&somebody_else, Duration::ZERO), "nothing of ours lives under that pid");
        assert!(start_time(running.pid).is_some(), "and the other one was left alone");

        assert!(stop(&running, Duration::from_secs(10)));
        assert_eq!(alive(&home, "sleeper"), None, "waiting to be reaped is not alive");
        child.wait().unwrap();
    }
}
