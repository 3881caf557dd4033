//! The chat networks that operators come from. Only listed people are heard; everybody else is ignored.

use serde_json::{Value, json};
use std::path::PathBuf;

/// OpenClaw's own IRC channel, of the release that is tested with the supported OpenClaw.
const IRC_PACKAGE: &str = "@openclaw/irc@2026.9.5";

#[derive(Debug, Clone, Default)]
pub struct Channels {
    pub telegram: Option<Telegram>,
    pub irc: Option<Irc>,
}

#[derive(Debug, Clone)]
pub struct Telegram {
    /// The file that holds the bot's token.
    pub token_file: PathBuf,
    /// Telegram's numeric user ids, from the people's identities.
    pub allow_from: Vec<String>,
    /// Another Bot API server than Telegram's own.
    pub api_root: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Irc {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub nick: String,
    /// Who is heard: `nick!user@host`, or a bare nickname. Neither proves a person, so nobody can approve from here.
    pub allow_from: Vec<String>,
    /// Channels to sit in, such as `#ops`.
    pub rooms: Vec<String>,
}

impl Channels {
    pub(crate) fn settings(&self) -> Value {
        let mut channels = json!({});
        if let Some(telegram) = &self.telegram {
            channels["telegram"] = telegram.settings();
        }
        if let Some(irc) = &self.irc {
            channels["irc"] = irc.settings();
        }
        channels
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        let telegram = self.telegram.as_ref().map(|_| "telegram");
        let irc = self.irc.as_ref().map(|_| "irc");
        telegram.into_iter().chain(irc).collect()
    }

    /// What OpenClaw must install first.
    pub(crate) fn packages(&self) -> Vec<&'static str> {
        self.irc.iter().map(|_| IRC_PACKAGE).collect()
    }

    /// Whoever writes, through whatever account, reaches the operators' face.
    pub(crate) fn bindings(&self, agent: &str) -> Value {
        self.names()
            .iter()
            .map(|channel| json!({ "agentId": agent, "match": { "channel": channel, "accountId": "*" } }))
            .collect()
    }
}

impl Telegram {
    fn settings(&self) -> Value {
        let mut settings = json!({
            "enabled": true,
            "tokenFile": self.token_file,
            "dmPolicy": "allowlist",
            "allowFrom": self.allow_from,
            "groupPolicy": "disabled",
        });
        if let Some(root) = &self.api_root {
            settings["apiRoot"] = json!(root);
        }
        settings
    }
}

impl Irc {
    fn settings(&self) -> Value {
        let rooms: serde_json::Map<String, Value> = self
            .rooms
            .iter()
            .map(|room| (room.clone(), json!({ "allowFrom": self.allow_from, "requireMention": true })))
            .collect();
        json!({
            "enabled": true,
            "host": self.host, "port": self.port, "tls": self.tls,
            "nick": self.nick, "username": "clawops", "realname": "ClawOps",
            "channels": self.rooms,
            "dmPolicy": "allowlist", "allowFrom": self.allow_from,
            "dangerouslyAllowNameMatching": self.allow_from.iter().any(|who| !who.contains('!')),
            "groupPolicy": "allowlist", "groupAllowFrom": self.allow_from, "groups": rooms,
        })
    }
}
