//! The gateway's process: started detached, found again by its pid file, waited for, and ended in order.

use crate::{Error, Layout, OpsGateway, Result, files};
use openclaw_client::methods::Terminals;
use openclaw_client::{Client, lean, probe};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::sleep;

const POLL: Duration = Duration::from_millis(50);
const PROBE: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_secs(15);
const TERMINATE: Duration = Duration::from_secs(15);
const KILL: Duration = Duration::from_secs(5);
const LAST_WORDS: usize = 600;

/// `run/ops-gateway.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub pid: i32,
    /// In clock ticks since boot, as the kernel tells: a process id is used again, the pair is not.
    pub start_time: u64,
    pub endpoint: String,
}

/// How far the start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The process runs and does not listen yet.
    Loading,
    /// It answers, but takes no work yet.
    Listening,
    Ready,
}

impl OpsGateway {
    /// The running process, if there is one.
    pub fn running(&self) -> Option<Started> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let started: Started = serde_json::from_str(&text).ok()?;
        (start_time(started.pid) == Some(started.start_time)).then_some(started)
    }

    /// Starts it in a session of its own, or finds it running.
    pub async fn start(&self) -> Result<Started> {
        if let Some(running) = self.running() {
            return Ok(running);
        }
        self.install_packages().await?;
        let layout = Layout::of(&self.home);
        let path = layout.logs.join("ops-gateway.log");
        let log = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path);
        let log = log.map_err(|source| Error::File { action: "write", path: path.clone(), source })?;
        let cannot = |source| Error::Spawn { program: self.runtime.node.clone(), source };
        let mut command = Command::new("setsid");
        command
            .arg(&self.runtime.node)
            .args(lean::node_arguments())
            .arg(&self.runtime.openclaw)
            .args(["gateway", "run"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("HOME", &layout.state)
            .envs(lean::environment(&layout.state, &layout.config(), &self.runtime.compile_cache))
            .current_dir(&layout.state)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(cannot)?)
            .stderr(log);
        let child = command.spawn().map_err(cannot)?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let ended = || Error::EndedEarly { last_words: self.last_words() };
        let pid = pid.ok_or_else(ended)?;
        let started = Started {
            pid,
            start_time: start_time(pid).ok_or_else(ended)?,
            endpoint: self.endpoint.addr.to_string(),
        };
        let text = serde_json::to_string(&started).map_err(|e| Error::malformed(self.pid_file(), e))?;
        files::write(&self.pid_file(), &text)?;
        Ok(started)
    }

    /// Waits until it takes work, telling each new phase once.
    pub async fn wait_ready(&self, within: Duration, mut tell: impl FnMut(Phase)) -> Result<()> {
        let started = Instant::now();
        let mut told = None;
        while started.elapsed() < within {
            // A gateway that loads its plugins is deaf for seconds after it began to listen; that is no step back.
            let phase = told.max(Some(self.phase().await));
            if told != phase {
                phase.into_iter().for_each(&mut tell);
                told = phase;
            }
            if phase == Some(Phase::Ready) {
                return Ok(());
            }
            if self.running().is_none() {
                return Err(Error::EndedEarly { last_words: self.last_words() });
            }
            sleep(POLL).await;
        }
        Err(Error::NotReady { after: within, log: Layout::of(&self.home).logs.join("ops-gateway.log") })
    }

    async fn phase(&self) -> Phase {
        match probe::readiness(self.endpoint.addr, PROBE).await {
            Ok(readiness) if readiness.ready => Phase::Ready,
            Ok(_) => Phase::Listening,
            Err(_) => Phase::Loading,
        }
    }

    /// Lets running turns end, then ends the process. Nothing to do is success.
    pub async fn stop(&self) -> Result<()> {
        let Some(running) = self.running() else { return Ok(()) };
        if let Err(error) = self.drain().await {
            tracing::warn!(%error, "the ops gateway could not be drained and is stopped as it is");
        }
        for (signal, patience) in [(Signal::TERM, TERMINATE), (Signal::KILL, KILL)] {
            if let Some(pid) = Pid::from_raw(running.pid) {
                // It may have ended in the meantime, which is what is wanted.
                let _ = kill_process(pid, signal);
            }
            let since = Instant::now();
            while since.elapsed() < patience {
                if start_time(running.pid) != Some(running.start_time) {
                    let _ = fs::remove_file(self.pid_file());
                    return Ok(());
                }
                sleep(POLL).await;
            }
        }
        Err(Error::WillNotEnd { pid: running.pid })
    }

    async fn drain(&self) -> Result<()> {
        let client = Client::connect(&self.endpoint, PROBE).await?;
        let since = Instant::now();
        loop {
            let suspension = client.suspend_prepare("clawops-stop", Terminals::Terminate).await?;
            if suspension.is_ready() || since.elapsed() > DRAIN {
                return Ok(());
            }
            sleep(POLL * 4).await;
        }
    }

    fn pid_file(&self) -> std::path::PathBuf {
        Layout::of(&self.home).run.join("ops-gateway.json")
    }

    fn last_words(&self) -> String {
        let log = Layout::of(&self.home).logs.join("ops-gateway.log");
        let text =
            fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let start = text.len().saturating_sub(LAST_WORDS);
        let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        text[start..].trim().to_owned()
    }
}

/// When a process started; `None` when it has ended, also when nobody has collected it yet.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the second field may hold blanks and brackets; what follows the last bracket does not.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    fields.get(19)?.parse().ok()
}
