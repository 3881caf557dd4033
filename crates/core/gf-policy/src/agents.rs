//! The team's table: what each agent may do alone, may ask for, and may never do.

use gf_model::verb::Verb;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Alone,
    /// A person must agree.
    Ask,
    Never,
}

/// One agent's rights over the verbs.
#[derive(Debug, Clone, Copy)]
pub struct AgentRow {
    pub agent: &'static str,
    pub alone: &'static [&'static str],
    pub ask: &'static [&'static str],
}

pub const TEAM: [AgentRow; 6] = [
    AgentRow {
        agent: "commander",
        alone: &["restart", "failover", "rebuild_standby", "silence"],
        ask: &["provision", "teardown", "restore", "resize", "config_push", "rollback", "provider_policy"],
    },
    AgentRow { agent: "guardian", alone: &["restart", "failover", "rebuild_standby"], ask: &[] },
    AgentRow { agent: "forge", alone: &[], ask: &["provision", "teardown"] },
    AgentRow { agent: "ledger", alone: &[], ask: &[] },
    AgentRow { agent: "triage", alone: &[], ask: &[] },
    AgentRow { agent: "briefer", alone: &[], ask: &[] },
];

/// The row of an agent; `None` for one that is not of the team. A spawned child, `commander/1f3a`, has its parent's.
pub fn row(agent: &str) -> Option<&'static AgentRow> {
    let parent = agent.split('/').next().unwrap_or(agent);
    TEAM.iter().find(|row| row.agent == parent)
}

/// Whether this is a child that an agent spawned; it may ask no person for anything.
pub fn is_child(agent: &str) -> bool {
    agent.contains('/')
}

/// Which verb a tool asks for. Tools that only read, write records or steer an operation are not in it.
pub const TOOL_VERBS: [(&str, &str); 9] = [
    ("gf_provision", "provision"),
    ("gf_teardown", "teardown"),
    ("gf_tier_resize", "resize"),
    ("gf_config_push", "config_push"),
    ("gf_bulk_restart", "restart"),
    ("gf_failover", "failover"),
    ("gf_provider_policy", "provider_policy"),
    ("gf_alerts_silence", "silence"),
    ("gf_restore", "restore"),
];

/// What an agent may do with a tool that changes the fleet; `None` for a tool that does not.
pub fn tool_right(agent: &str, tool: &str) -> Option<Right> {
    let (_, verb) = TOOL_VERBS.iter().find(|(name, _)| *name == tool)?;
    Some(row(agent).map_or(Right::Never, |row| row.right_to(verb)))
}

impl AgentRow {
    pub fn right(&self, verb: &Verb) -> Right {
        self.right_to(verb.name())
    }

    pub(crate) fn right_to(&self, verb: &str) -> Right {
        if self.alone.contains(&verb) {
            Right::Alone
        } else if self.ask.contains(&verb) {
            Right::Ask
        } else {
            Right::Never
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of tools says who sees a tool, this one what they may do with it: a tool that can only be refused is
    /// shown to nobody, and none that may be used is missing.
    #[test]
    fn the_rows_agree_with_the_tools() {
        for (tool, _) in TOOL_VERBS {
            let spec = gf_tools::tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
            for row in &TEAM {
                let may = tool_right(row.agent, tool) != Some(Right::Never);
                assert_eq!(may, spec.used_by.contains(&row.agent), "{} and {tool}", row.agent);
            }
        }
        let acting =
            gf_tools::TOOLS.iter().filter(|spec| !spec.read_only && spec.read_only_actions.is_empty());
        assert!(acting.map(|spec| spec.name).all(|name| TOOL_VERBS.iter().any(|(tool, _)| *tool == name)));
    }

    #[test]
    fn a_child_has_its_parents_row_and_a_stranger_has_none() {
        assert_eq!(row("guardian/7f").map(|row| row.agent), Some("guardian"));
        assert!(is_child("guardian/7f") && !is_child("guardian"));
        assert!(row("guardiann").is_none() && row("").is_none());
    }
}
