//! Where the parts of one instance lie.

use std::path::{Path, PathBuf};

/// `instances/<id>/…`
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    pub fn new(instances: &Path, id: &str) -> Self {
        Self { root: instances.join(id) }
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// What gf-clawnode must know to adopt the instance; holds its gateway's token.
    pub fn spec(&self) -> PathBuf {
        self.root.join("spec.json")
    }
    /// OpenClaw's own directory: all of its memory, and nothing of ours.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }
    /// A state that is being put together, to become [`Self::state`].
    pub fn next_state(&self) -> PathBuf {
        self.root.join("state.next")
    }
    /// The state that was replaced, until its replacement is in place.
    pub fn old_state(&self) -> PathBuf {
        self.root.join("state.old")
    }
    pub fn config(&self) -> PathBuf {
        self.state().join("openclaw.json")
    }
    /// What the process prints.
    pub fn output(&self) -> PathBuf {
        self.root.join("gateway.log")
    }
    /// OpenClaw's own log, which it would otherwise share with every gateway of the machine.
    pub fn log(&self) -> PathBuf {
        self.root.join("openclaw.log")
    }
}
