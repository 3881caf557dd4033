//! The gateway's methods that ClawOps relies on, with names and types. Each was tried on the real gateway.

use crate::error::Error;
use crate::{Client, Result, Token};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const QUICK: Duration = Duration::from_secs(15);
/// A patch that enables a channel is answered when that channel's listener is up.
const PATCH: Duration = Duration::from_secs(60);

/// The configuration file as the gateway holds it; secrets in it are redacted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSnapshot {
    /// Guards the next write: a patch based on another hash is refused.
    pub hash: String,
    pub parsed: Value,
    #[serde(default)]
    pub config_revision_hash: Option<String>,
    #[serde(default)]
    pub applied_config_hash: Option<String>,
}

impl ConfigSnapshot {
    /// Whether the process runs with what the file says.
    pub fn is_applied(&self) -> bool {
        self.config_revision_hash == self.applied_config_hash
    }
}

#[derive(Debug, Clone)]
pub struct ConfigPatched {
    pub hash: Option<String>,
    pub changed_paths: Vec<String>,
    pub requires_restart: bool,
}

/// What becomes of commands that run in terminals when the gateway is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminals {
    /// Kept: for a freeze that is thawed again.
    Preserve,
    /// Ended: before a stop.
    Terminate,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// `draining`, `ready`, or what the gateway says otherwise.
    pub status: String,
    #[serde(default)]
    pub suspension_id: Option<String>,
    /// The gateway resumes by itself at this moment unless `prepare` is repeated with the same request id.
    #[serde(default)]
    pub expires_at_ms: Option<u64>,
    #[serde(default)]
    pub active_count: u64,
    #[serde(default)]
    pub blockers: Vec<Value>,
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

impl Suspension {
    pub fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}

/// One account of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelAccount {
    pub channel: String,
    pub account: String,
    pub configured: bool,
    /// Whether its owner has it switched on.
    pub enabled: bool,
    pub running: bool,
    /// `None` where the channel does not tell.
    pub connected: Option<bool>,
    pub last_error: Option<String>,
}

impl ChannelAccount {
    pub fn is_up(&self) -> bool {
        self.running && self.connected != Some(false)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRow {
    pub key: String,
    #[serde(default)]
    pub updated_at: Option<u64>,
    #[serde(default)]
    pub has_active_run: Option<bool>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub total_tokens: Option<u64>,
}

fn typed<T: DeserializeOwned>(method: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| Error::unexpected(method, e))
}

impl Client {
    pub async fn config_get(&self) -> Result<ConfigSnapshot> {
        typed("config.get", self.call("config.get", json!({}), QUICK).await?)
    }

    /// Merges `patch` into the configuration (RFC 7396; `null` removes a key) and waits until it is in force.
    ///
    /// `replace_paths` names arrays that may lose entries; without it the gateway refuses to shorten them.
    pub async fn config_patch(
        &self,
        patch: &Value,
        base_hash: &str,
        note: &str,
        replace_paths: &[String],
    ) -> Result<ConfigPatched> {
        let mut params = json!({ "raw": patch.to_string(), "baseHash": base_hash, "note": note });
        if !replace_paths.is_empty() {
            params["replacePaths"] = json!(replace_paths);
        }
        let answer = self.call("config.patch", params, PATCH).await?;
        let changed = answer["changedPaths"].as_array().into_iter().flatten();
        let restart = answer.pointer("/sentinel/payload/stats/requiresRestart").and_then(Value::as_bool);
        Ok(ConfigPatched {
            hash: answer["hash"].as_str().map(str::to_owned),
            changed_paths: changed.filter_map(Value::as_str).map(str::to_owned).collect(),
            requires_restart: restart.unwrap_or(false),
        })
    }

    /// Closes the gateway to new work and lets running work end. Repeating it with the same id renews the lease.
    pub async fn suspend_prepare(&self, request_id: &str, terminals: Terminals) -> Result<Suspension> {
        let policy = match terminals {
            Terminals::Preserve => "preserve",
            Terminals::Terminate => "terminate",
        };
        let params = json!({ "requestId": request_id, "drain": true, "terminalPolicy": policy });
        typed("gateway.suspend.prepare", self.call("gateway.suspend.prepare", params, QUICK).await?)
    }

    pub async fn suspend_status(&self, suspension_id: &str) -> Result<Suspension> {
        let params = json!({ "suspensionId": suspension_id });
        typed("gateway.suspend.status", self.call("gateway.suspend.status", params, QUICK).await?)
    }

    pub async fn suspend_resume(&self, suspension_id: &str) -> Result<()> {
        let params = json!({ "suspensionId": suspension_id });
        self.call("gateway.suspend.resume", params, QUICK).await.map(drop)
    }

    /// The names of all tools that a turn of this agent is offered, sorted.
    pub async fn tools_effective(&self, agent: &str) -> Result<Vec<String>> {
        const METHOD: &str = "tools.effective";
        // The question is only answered for a session that exists. It stays: removing one takes seconds.
        let key = format!("agent:{agent}:tools-check");
        let question = json!({ "sessionKey": key, "agentId": agent });
        let answer = match self.call(METHOD, question.clone(), QUICK).await {
            Err(Error::Refused { .. }) => {
                self.call("sessions.create", json!({ "key": key, "agentId": agent }), QUICK).await?;
                self.call(METHOD, question, QUICK).await?
            }
            answer => answer?,
        };
        let groups = answer["groups"].as_array().ok_or_else(|| Error::unexpected(METHOD, "no groups"))?;
        let tools = groups.iter().flat_map(|group| group["tools"].as_array().into_iter().flatten());
        let mut names: Vec<String> =
            tools.filter_map(|tool| tool["id"].as_str()).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Stores a provider's key for an agent in the gateway's own credential store; it is not readable afterwards.
    pub async fn set_api_key(&self, provider: &str, key: &Token, agent: Option<&str>) -> Result<()> {
        let mut params = json!({ "provider": provider, "apiKey": key.expose() });
        if let Some(agent) = agent {
            params["agentId"] = json!(agent);
        }
        self.call("models.authSetApiKey", params, QUICK).await.map(drop)
    }

    pub async fn sessions_list(&self) -> Result<Vec<SessionRow>> {
        const METHOD: &str = "sessions.list";
        let mut answer = self.call(METHOD, json!({}), QUICK).await?;
        typed(METHOD, answer["sessions"].take())
    }

    /// The channels that are configured and whether they can receive.
    pub async fn channels_status(&self) -> Result<Vec<ChannelAccount>> {
        let answer = self.call("channels.status", json!({}), QUICK).await?;
        let Some(channels) = answer["channelAccounts"].as_object() else {
            return Err(Error::unexpected("channels.status", "no channelAccounts"));
        };
        let accounts = channels.iter().flat_map(|(channel, accounts)| {
            accounts.as_array().into_iter().flatten().map(move |account| channel_account(channel, account))
        });
        Ok(accounts.collect())
    }
}

fn channel_account(channel: &str, account: &Value) -> ChannelAccount {
    let flag = |key: &str| account[key].as_bool();
    ChannelAccount {
        channel: channel.to_owned(),
        account: account["accountId"].as_str().unwrap_or("default").to_owned(),
        configured: flag("configured").unwrap_or(false),
        enabled: flag("enabled").unwrap_or(true),
        running: flag("running").unwrap_or(false),
        connected: flag("connected"),
        last_error: account["lastError"].as_str().map(str::to_owned),
    }
}
