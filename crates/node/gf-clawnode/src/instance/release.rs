//! Which OpenClaw release an instance runs on: only one that is installed on the node.

use super::Instance;
use crate::host::{Failure, Outcome};
use gf_node_proto::FailureCode;

impl Instance {
    /// Runs it on another release; where it runs on that one already, nothing is interrupted.
    pub async fn update(&self, version: &str, drain: bool, wait_ready: bool) -> Outcome<()> {
        if version.is_empty() {
            return Err(Failure::invalid("version", "nothing", "name a release, such as 2026.9.6"));
        }
        let installed = self.local.runtime.openclaw_version().unwrap_or_default();
        if installed != version {
            let message = format!("OpenClaw {version} is not installed on this node; it has {installed}");
            let mut failure = Failure::new(FailureCode::NotInstalled, message);
            failure.0.field = "version".into();
            failure.0.value = version.to_owned();
            failure.0.fix = "install that release on the node first, or name the one it has".to_owned();
            return Err(failure);
        }
        self.remember(|spec| version.clone_into(&mut spec.openclaw_version))?;
        let runs_it = {
            let live = self.live.lock();
            live.process.is_some() && live.version == version
        };
        if runs_it { Ok(()) } else { self.restart(drain, wait_ready).await }
    }
}
