//! The new program as a child of the one that runs: it passes when it says that it has shaken hands, and fails when it
//! ends before that or takes too long. It ends with the process that tries it.

use super::Program;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{io::Write, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

/// Set for a program that is tried.
const TRIAL: &str = "CLAWOPS_NODE_TRIAL";
const SHAKEN: &str = "shaken hands";
const LEAVES: Duration = Duration::from_secs(5);

pub fn is_trial() -> bool {
    std::env::var_os(TRIAL).is_some()
}

/// In the program that is tried: it ends with the one that tries it.
pub fn ends_with_its_parent() {
    if let Err(why) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!(%why, "this process may outlive the one that tries it");
    }
}

/// In the program that is tried: it has shaken hands.
pub fn say_passed() {
    // Nobody may be there to hear it.
    let _ = writeln!(std::io::stdout(), "{SHAKEN}");
}

/// How a trial ended, and whether somebody asked this process to leave meanwhile.
pub struct Tried {
    pub outcome: Result<(), String>,
    pub leave: bool,
}

/// Runs the pending program until it has passed or failed. Afterwards none of it runs.
pub async fn try_out(program: &Program) -> Tried {
    let Some(pending) = program.pending() else {
        return Tried { outcome: Err("there is nothing to try".into()), leave: false };
    };
    let Some(command) = program.command(pending.target.as_ref()) else {
        return Tried { outcome: Err("what was installed is not known".into()), leave: false };
    };
    let spawned = Command::from(command)
        .env(TRIAL, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(why) => return Tried { outcome: Err(format!("it could not be started: {why}")), leave: false },
    };
    if let Some(Err(why)) = child.id().map(|pid| program.is_trying(pid)) {
        tracing::warn!(%why, "which process is tried could not be written down");
    }
    let within = Duration::from_millis(pending.within_ms);
    let tried = tokio::select! {
        outcome = passes(&mut child) => Tried { outcome, leave: false },
        () = asked_to_leave() => {
            Tried { outcome: Err("gf-clawnode was told to leave meanwhile".into()), leave: true }
        }
        () = tokio::time::sleep(within) => {
            Tried { outcome: Err(format!("it has not shaken hands within {within:?}")), leave: false }
        }
    };
    if tried.outcome.is_ok() {
        // It leaves by itself.
        let _ = tokio::time::timeout(LEAVES, child.wait()).await;
    }
    if let Err(why) = child.kill().await {
        tracing::debug!(%why, "the program that was tried had ended already");
    }
    tried
}

async fn passes(child: &mut Child) -> Result<(), String> {
    let Some(stdout) = child.stdout.take() else { return Err("it has no output".into()) };
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line == SHAKEN {
            return Ok(());
        }
    }
    match child.wait().await {
        Ok(status) => Err(format!("it ended before it had shaken hands ({status})")),
        Err(why) => Err(format!("it cannot be watched: {why}")),
    }
}

async fn asked_to_leave() {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
