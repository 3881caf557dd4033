//! Answers and progress on their way to the control plane, also while there is no link.

use gf_node_proto::{COMMANDS_IN_FLIGHT, CommandProgress, CommandResult, envelope};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<VecDeque<envelope::Body>>,
    pub filled: Notify,
}

impl Outbox {
    /// An answer. Should too many wait, the oldest go: the control plane asks again with the same key.
    pub fn answer(&self, result: CommandResult) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= 2 * COMMANDS_IN_FLIGHT {
            waiting.pop_front();
        }
        waiting.push_back(result.into());
        drop(waiting);
        self.filled.notify_one();
    }

    /// Progress, which is worth nothing when it is late.
    pub fn progress(&self, progress: CommandProgress) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < COMMANDS_IN_FLIGHT {
            waiting.push_back(progress.into());
            drop(waiting);
            self.filled.notify_one();
        }
    }

    pub fn take(&self) -> VecDeque<envelope::Body> {
        std::mem::take(&mut self.waiting.lock())
    }
}
