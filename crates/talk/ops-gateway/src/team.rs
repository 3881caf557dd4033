//! The agents of the ops gateway as the `team/` folder describes them, and their workspaces.

use crate::{Error, Result, files};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `team.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamFile {
    /// The agent that operators talk to.
    face: String,
    agents: BTreeMap<String, Agent>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Agent {
    pub name: String,
    pub emoji: String,
    /// Every tool it has; nothing else is offered to it.
    pub tools: Vec<String>,
    /// Folders of `team/skills/`.
    pub skills: Vec<String>,
    /// Agents that it may send messages to.
    #[serde(default)]
    pub may_call: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Team {
    dir: PathBuf,
    pub face: String,
    pub agents: BTreeMap<String, Agent>,
}

impl Team {
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join("team.json");
        let file: TeamFile =
            serde_json::from_str(&files::read(&path)?).map_err(|e| Error::malformed(&path, e))?;
        let unknown = |who: &String| !file.agents.contains_key(who);
        if let Some(who) =
            file.agents.values().flat_map(|a| &a.may_call).chain([&file.face]).find(|w| unknown(w))
        {
            return Err(Error::malformed(&path, format!("there is no agent {who}")));
        }
        Ok(Self { dir: dir.into(), face: file.face, agents: file.agents })
    }

    /// Writes each agent's pages to `workspaces/<agent>/`.
    pub fn write_workspaces(&self, workspaces: &Path) -> Result<()> {
        for (id, agent) in &self.agents {
            let workspace = workspaces.join(id);
            files::private_dir(&workspace)?;
            let identity = format!("# Identity\n\n- Name: {}\n- Emoji: {}\n", agent.name, agent.emoji);
            files::write(&workspace.join("IDENTITY.md"), &identity)?;
            files::write(&workspace.join("SOUL.md"), &files::read(&self.dir.join(id).join("SOUL.md"))?)?;
            files::write(&workspace.join("AGENTS.md"), &self.instructions(id, agent)?)?;
        }
        Ok(())
    }

    /// The agent's own page and its skills behind it. OpenClaw would only list skills and have the agent read them,
    /// and our agents can read no files.
    fn instructions(&self, id: &str, agent: &Agent) -> Result<String> {
        let mut text = files::read(&self.dir.join(id).join("AGENTS.md"))?;
        for skill in &agent.skills {
            let path = self.dir.join("skills").join(skill).join("SKILL.md");
            let page = files::read(&path)?;
            let body = page.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
            let (_, body) = body.ok_or_else(|| Error::malformed(&path, "it must begin with front matter"))?;
            text.push('\n');
            text.push_str(body.trim_start());
        }
        Ok(text)
    }
}
