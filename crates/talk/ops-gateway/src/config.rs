//! The ops gateway's `openclaw.json`, as one pure function of the settings.

use crate::{Layout, Result, Settings, Team, files, model::Brain};
use openclaw_client::Token;
use openclaw_client::lean::{self, merge};
use serde_json::{Map, Value, json};

pub(crate) struct Inputs<'a> {
    pub settings: &'a Settings,
    pub layout: &'a Layout,
    pub team: &'a Team,
    pub token: &'a Token,
    pub brain_key: &'a Token,
}

pub(crate) fn document(inputs: &Inputs<'_>) -> Result<Value> {
    let Inputs { settings, layout, team, token, .. } = inputs;
    let channels = &settings.channels;
    let mut document = lean::lean_defaults();
    merge(
        &mut document,
        json!({
            "gateway": {
                "mode": "local", "port": settings.port, "bind": "loopback",
                "auth": { "mode": "token", "token": token.expose() },
            },
            // The default is one file under the system's temp folder, shared by every gateway of the machine.
            "logging": {
                "file": layout.logs.join("ops-gateway.openclaw.log"),
                // OpenClaw says who was turned away only at this level.
                "level": if channels.names().is_empty() { "info" } else { "debug" },
            },
            "agents": agents(inputs),
            "tools": {
                // Otherwise plugin tools hide behind a search tool, and tools.effective says less than the truth.
                "toolSearch": false,
                "agentToAgent": { "enabled": true, "allow": team.agents.keys().collect::<Vec<_>>() },
            },
            "session": {
                // By default all operators share one conversation, which other agents may write to.
                "dmScope": "per-channel-peer",
                // Pruning takes the agent's database for seconds after each turn. Where another agent speaks meanwhile,
                // OpenClaw fails to put the database down and then fails every later turn; so it only warns here.
                "maintenance": { "mode": "warn" },
            },
            // What a chat message may do to the gateway itself: nothing.
            "commands": {
                "native": false, "nativeSkills": false, "restart": false,
                "bash": false, "config": false, "plugins": false, "mcp": false, "debug": false,
            },
            "models": { "mode": "merge", "providers": providers(inputs)? },
            "plugins": plugins(inputs),
        }),
    );
    if !channels.names().is_empty() {
        document["channels"] = channels.settings();
        document["bindings"] = channels.bindings(&team.face);
    }
    Ok(document)
}

fn agents(inputs: &Inputs<'_>) -> Value {
    let Inputs { settings, layout, team, .. } = inputs;
    let entries: Map<String, Value> = team
        .agents
        .iter()
        .map(|(id, agent)| {
            let entry = json!({
                "name": agent.name,
                "identity": { "name": agent.name, "emoji": agent.emoji },
                "workspace": layout.workspaces.join(id),
                // Their text is in AGENTS.md; the fifty that OpenClaw brings are not for our agents.
                "skills": [],
                "subagents": { "allowAgents": agent.may_call },
                "tools": { "allow": agent.tools },
            });
            (id.clone(), entry)
        })
        .collect();
    let model = match &settings.extra_model {
        Some(extra) => json!({ "primary": extra.reference(), "fallbacks": [Brain::OPERATOR] }),
        None => json!({ "primary": Brain::OPERATOR }),
    };
    json!({
        "ownership": "explicit",
        "defaults": {
            "model": model,
            "skipBootstrap": true,
            "heartbeat": { "every": "0m", "agentId": team.face },
            "systemAgent": { "agentId": team.face },
        },
        "entries": entries,
    })
}

fn providers(inputs: &Inputs<'_>) -> Result<Value> {
    let Inputs { settings, brain_key, .. } = inputs;
    let mut providers = json!({ Brain::PROVIDER: settings.brain.provider(brain_key.expose()) });
    if let Some(extra) = &settings.extra_model {
        let key = extra.key_file.as_deref().map(files::read).transpose()?;
        providers[&extra.provider] = extra.provider_entry(key.as_deref().map(str::trim));
    }
    Ok(providers)
}

fn plugins(inputs: &Inputs<'_>) -> Value {
    let Inputs { settings, layout, .. } = inputs;
    let mut allow = vec!["clawops"];
    allow.extend(settings.channels.names());
    let mut entries = json!({
        "clawops": {
            "enabled": true,
            "config": {
                "controlPlaneUrl": format!("http://127.0.0.1:{}", settings.control_plane_port),
                "pluginKeyFile": layout.keys.join("plugin.key"),
                "webhookKeyFile": layout.keys.join("webhook.key"),
            },
        },
    });
    for channel in settings.channels.names() {
        entries[channel] = json!({ "enabled": true });
    }
    json!({ "allow": allow, "load": { "paths": [layout.plugin] }, "entries": entries })
}
