//! Which gf-clawnode a simulated node says that it runs, and how it becomes another one.
//!
//! As a real one does it, seen from the link: the link ends, and whoever comes back answers the order when it is sent
//! again. A release whose version ends in `-broken` comes up nowhere, one in `-broken.NODE` does not on that node, until what
//! keeps them from it is mended.

use crate::{
    host::{answer_frame, failure},
    machine::Inner,
};
use gf_node_proto::{FailureCode, NodeStage, NodeStaged, NodeUpdate, NodeUpdated, Reply};
use serde::{Deserialize, Serialize};

/// The version that it runs and the one before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Software {
    #[serde(default)]
    runs: Option<Box<str>>,
    #[serde(default)]
    before: Option<Box<str>>,
}

impl Software {
    pub(crate) fn version(&self) -> &str {
        self.runs.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"))
    }
}

/// All of it is there at once: no bytes are kept.
pub(crate) fn staged(stage: &NodeStage) -> Reply {
    NodeStaged { bytes: stage.release.as_ref().map_or(0, |release| release.size) }.into()
}

fn comes_up(version: &str, node: &str, mended: bool) -> bool {
    let broken = version.split_once("-broken").map(|(_, whose)| whose);
    mended || broken.is_none_or(|whose| !whose.is_empty() && whose.strip_prefix('.') != Some(node))
}

impl Inner {
    /// The link ends in any case, unless that version runs already; the order is answered when it comes again.
    pub(crate) fn update_itself(&mut self, key: &str, update: &NodeUpdate, mended: bool) {
        let version = update.release.as_ref().map(|release| release.version.clone()).unwrap_or_default();
        let node = self.saved.node.to_string();
        let software = &mut self.saved.host.software;
        let runs = software.version().to_owned();
        let is_way_back = software.before.as_deref().unwrap_or(env!("CARGO_PKG_VERSION")) == version;
        let outcome = if version == runs {
            Ok(())
        } else if update.rollback && !is_way_back {
            Err((FailureCode::Refused, format!("{version} is not what ran on this node before")))
        } else if !comes_up(&version, &node, mended) {
            Err((FailureCode::Program, "it ended before it had shaken hands (simulated)".to_owned()))
        } else {
            software.before = Some(runs.as_str().into());
            software.runs = Some(version.as_str().into());
            self.became_another = true;
            Ok(())
        };
        let stays = version == runs;
        let said = match outcome {
            Ok(()) => Ok(NodeUpdated { version, previous: runs }.into()),
            Err((code, why)) => Err(failure(code, why)),
        };
        let frame = answer_frame(key, said);
        self.saved.host.remember_answer(key, &frame);
        self.changed = true;
        match stays {
            true => self.outgoing.push_back(frame),
            false => self.end_link(),
        }
    }
}
