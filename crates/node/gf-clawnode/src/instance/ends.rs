//! What follows when a life of an instance has ended: it is reported, and another one begins or does not.

use super::{Instance, InstanceState, Obstacle, exits::Ended, process::Exit, restarts::Verdict};
use gf_node_proto::{FailureReason, InstanceExited, InstanceFailed, InstanceStopped};
use std::time::{Duration, Instant};

/// How one life of the process came to its end.
pub(super) enum End {
    Asked,
    Died { pid: u32, ended: Ended, exit: Exit },
    NeverStarted(Obstacle),
}

impl Instance {
    /// Reports an end; how long to wait before the next life, or `None` where there is none.
    pub(super) fn settle(&self, end: End) -> Option<Duration> {
        let mut live = self.live.lock();
        let pid = live.process.take().map(|process| process.id().pid);
        let drained = live.drain.take().is_some();
        let (pid, ended, exit) = match end {
            End::Asked => {
                drop(live);
                self.forget_process();
                self.set_state(InstanceState::Stopped);
                self.report(InstanceStopped { drained });
                tracing::info!(instance = self.id, ?pid, "stopped");
                return None;
            }
            End::NeverStarted(obstacle) => {
                drop(live);
                self.forget_process();
                self.give_up(obstacle, Vec::new());
                return None;
            }
            End::Died { pid, ended, exit } => (pid, ended, exit),
        };
        let verdict = live.restarts.after(ended.reason, Instant::now());
        let restarts_in_window = live.restarts.in_window(Instant::now());
        drop(live);
        let pause = match verdict {
            Verdict::RestartAfter(pause) => Some(pause),
            Verdict::GiveUp => None,
        };
        if pause.is_some() {
            self.set_state(InstanceState::Bootstrapping);
        }
        self.report(InstanceExited {
            pid,
            exit_code: exit.code,
            signal: exit.signal,
            reason: ended.reason.into(),
            detail: ended.detail.clone(),
            restarting: pause.is_some(),
            restart_in_ms: pause.map_or(0, |pause| u32::try_from(pause.as_millis()).unwrap_or(u32::MAX)),
            restarts_in_window,
        });
        tracing::warn!(instance = self.id, pid, reason = ended.reason.as_str_name(), "{}", ended.detail);
        if pause.is_none() {
            let detail = match restarts_in_window {
                0 => ended.detail,
                restarts => format!("{}; it was restarted {restarts} times within 10 minutes", ended.detail),
            };
            self.give_up(Obstacle::new(ended.reason, detail), ended.issues);
        }
        pause
    }

    fn give_up(&self, obstacle: Obstacle, issues: Vec<String>) {
        tracing::error!(instance = self.id, reason = obstacle.reason.as_str_name(), "given up: {obstacle}");
        let (reason, detail) = (obstacle.reason.into(), obstacle.detail.clone());
        self.live.lock().failure = Some(obstacle);
        self.set_state(InstanceState::Failed);
        self.report(InstanceFailed { reason, detail, issues });
    }

    fn forget_process(&self) {
        if let Err(why) = self.remember(|spec| spec.process = None) {
            tracing::warn!(instance = self.id, %why, "that it ended could not be written down");
        }
    }
}

/// It ended while no gf-clawnode watched.
pub(super) fn died_unseen(pid: u32) -> End {
    let detail = "ended while gf-clawnode was away".to_owned();
    End::Died {
        pid,
        ended: Ended { reason: FailureReason::Exited, detail, issues: Vec::new() },
        exit: Exit::default(),
    }
}
