//! When a crashed instance is started again by the node itself, and when it is left to the control plane.

use gf_model::health::{RESTART_LIMIT, RESTART_WINDOW_SECONDS};
use gf_node_proto::FailureReason;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(RESTART_WINDOW_SECONDS as u64);
/// How long to wait before the first, second and third restart of a window.
const PAUSES: [Duration; RESTART_LIMIT] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    RestartAfter(Duration),
    GiveUp,
}

/// The automatic restarts of the last ten minutes.
#[derive(Debug, Default)]
pub struct Restarts {
    times: VecDeque<Instant>,
}

impl Restarts {
    /// What to do after an instance ended without being asked to. A restart is counted.
    pub fn after(&mut self, reason: FailureReason, now: Instant) -> Verdict {
        self.forget_old(now);
        if !can_help(reason) || self.times.len() >= RESTART_LIMIT {
            return Verdict::GiveUp;
        }
        let pause = PAUSES[self.times.len()];
        self.times.push_back(now);
        Verdict::RestartAfter(pause)
    }

    pub fn in_window(&mut self, now: Instant) -> u32 {
        self.forget_old(now);
        u32::try_from(self.times.len()).unwrap_or(u32::MAX)
    }

    /// Somebody started it on purpose: the count begins anew.
    pub fn forgive(&mut self) {
        self.times.clear();
    }

    fn forget_old(&mut self, now: Instant) {
        while self.times.front().is_some_and(|first| now.duration_since(*first) > WINDOW) {
            self.times.pop_front();
        }
    }
}

/// Whether starting the same thing again may work.
fn can_help(reason: FailureReason) -> bool {
    match reason {
        FailureReason::Crashed
        | FailureReason::Killed
        | FailureReason::Exited
        | FailureReason::BootTimeout => true,
        FailureReason::StateUnreadable
        | FailureReason::PortTaken
        | FailureReason::BinaryMissing
        | FailureReason::WrongVersion
        | FailureReason::InvalidConfig
        | FailureReason::DiskFull
        | FailureReason::ExitsAtOnce
        | FailureReason::Unspecified => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_the_fourth_is_not_made() {
        let mut restarts = Restarts::default();
        let now = Instant::now();
        assert_eq!(restarts.after(FailureReason::Killed, now), Verdict::RestartAfter(Duration::ZERO));
        assert!(matches!(restarts.after(FailureReason::Crashed, now), Verdict::RestartAfter(_)));
        assert!(matches!(restarts.after(FailureReason::Crashed, now), Verdict::RestartAfter(_)));
        assert_eq!(restarts.after(FailureReason::Crashed, now), Verdict::GiveUp);
        assert_eq!(restarts.in_window(now), 3);
    }

    #[test]
    fn ten_quiet_minutes_begin_a_new_count() {
        let mut restarts = Restarts::default();
        let now = Instant::now();
        for _ in 0..4 {
            restarts.after(FailureReason::Killed, now);
        }
        let later = now + WINDOW + Duration::from_secs(1);
        assert_eq!(restarts.after(FailureReason::Killed, later), Verdict::RestartAfter(Duration::ZERO));
    }

    #[test]
    fn what_a_restart_cannot_mend_is_not_restarted() {
        for reason in [
            FailureReason::StateUnreadable,
            FailureReason::PortTaken,
            FailureReason::BinaryMissing,
            FailureReason::InvalidConfig,
            FailureReason::WrongVersion,
        ] {
            assert_eq!(Restarts::default().after(reason, Instant::now()), Verdict::GiveUp, "{reason:?}");
        }
    }
}
