//! Where simulated snapshots and archives lie: what an instance remembered, by the path that it was kept under.
//! Nothing is written to those paths.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// Copies that are kept of one account; older ones are forgotten, or a fleet that lives for weeks would grow.
pub(crate) const KEPT_PER_ACCOUNT: usize = 8;

/// What an instance remembers: what its user said so far, as a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    pub path: Box<str>,
    pub account: Box<str>,
    pub memory: u64,
}

impl Kept {
    pub(crate) fn digest(&self) -> String {
        digest(&self.account, self.memory)
    }

    pub(crate) fn bytes(&self) -> u64 {
        bytes(self.memory)
    }
}

pub(crate) fn digest(account: &str, memory: u64) -> String {
    crate::document::hash(&format!("{account}/{memory}"))
}

pub(crate) fn bytes(memory: u64) -> u64 {
    180_000 + 640 * memory
}

#[derive(Default)]
pub(crate) struct Vault {
    by_account: Mutex<HashMap<Box<str>, VecDeque<Kept>>>,
}

impl Vault {
    pub(crate) fn keep(&self, kept: Kept) {
        let mut by_account = self.by_account.lock();
        let shelf = by_account.entry(kept.account.clone()).or_default();
        shelf.retain(|other| other.path != kept.path);
        shelf.push_back(kept);
        while shelf.len() > KEPT_PER_ACCOUNT {
            shelf.pop_front();
        }
    }

    pub(crate) fn find(&self, account: &str, path: &str) -> Option<Kept> {
        self.by_account.lock().get(account)?.iter().find(|kept| &*kept.path == path).cloned()
    }
}
