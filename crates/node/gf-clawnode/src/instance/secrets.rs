//! What only OpenClaw itself may judge or keep: candidates of a configuration, and credentials.

use super::Instance;
use crate::{
    files,
    host::{Failure, Outcome},
};
use gf_model::patch;
use gf_node_proto::{ConfigChanges, FailureCode};
use openclaw_client::Token;
use serde_json::Value;
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(60);

impl Instance {
    /// Hands a provider's key to OpenClaw's own credential store; it is not kept here.
    pub async fn apply_secret(&self, provider: &str, key: &Token, agent: &str) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        if provider.is_empty() || key.expose().is_empty() {
            return Err(Failure::invalid("credentials", "an empty one", "give a provider and its key"));
        }
        let agent = Some(agent).filter(|agent| !agent.is_empty());
        Ok(self.client().await?.set_api_key(provider, key, agent).await?)
    }

    /// Asks OpenClaw whether it would run with a patch applied, without touching what it runs with.
    pub async fn validate(&self, change: &Value) -> Outcome<ConfigChanges> {
        let shown = self.diff(change)?;
        let mut candidate = self.config_on_disk()?;
        patch::apply(&mut candidate, change);
        let path = self.layout.root().join("candidate.json");
        let text = serde_json::to_vec(&candidate).map_err(std::io::Error::from)?;
        files::write_private(&path, &text)?;
        let runtime = &self.local.runtime;
        let asked = Command::new(runtime.node())
            .arg(runtime.openclaw())
            .args(["config", "validate", "--json"])
            .env("OPENCLAW_CONFIG_PATH", &path)
            .env("OPENCLAW_STATE_DIR", self.layout.state())
            .env("HOME", self.layout.state().join("home"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        files::remove_tree(&path)?;
        let output =
            asked.map_err(|_| Failure::new(FailureCode::TimedOut, "OpenClaw did not judge in time"))??;
        let said: Value = serde_json::from_slice(&output.stdout).map_err(|why| {
            Failure::new(FailureCode::Openclaw, format!("OpenClaw's judgement cannot be read: {why}"))
        })?;
        let issues = super::write::issues(&said["issues"]);
        Ok(ConfigChanges { valid: said["valid"] == Value::Bool(true), issues, ..shown })
    }
}
