//! Every tool, parameter and value that a skill or an agent's page names exists, and each agent's list is its row.

#![allow(clippy::unwrap_used, reason = "a test may")]

use gf_tools::TOOLS;
use ops_gateway::Team;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn team_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../team")
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![team_dir()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// What stands between back-ticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn properties() -> Vec<(String, Value)> {
    let all = TOOLS.iter().map(|tool| (tool.parameters)());
    all.flat_map(|schema| {
        let properties = schema["properties"].as_object().unwrap().clone();
        properties.into_iter().collect::<Vec<_>>()
    })
    .collect()
}

/// `null` values in replies and other agents' tools are not parameters of ours.
const OTHER_WORDS: [&str; 3] = ["approval", "uncertain", "sessions_send"];

#[test]
fn everything_that_a_page_names_exists() {
    let properties = properties();
    let is_property = |name: &str| properties.iter().any(|(property, _)| property == name);
    let takes = |name: &str, value: &str| {
        properties.iter().filter(|(property, _)| property == name).any(|(_, schema)| match &schema["enum"] {
            Value::Array(allowed) => allowed.iter().any(|v| v == value),
            _ if schema["type"] == "boolean" => matches!(value, "true" | "false"),
            _ => schema["type"] == "string",
        })
    };
    let pages = pages();
    assert!(pages.len() >= 11, "{}", pages.len());
    let mut checked = 0;
    for (path, text) in &pages {
        for word in quoted(text) {
            let known = match word.split_once(": ") {
                _ if word.starts_with('{') => true,
                Some((name, value)) => takes(name, value),
                None if word.starts_with("gf_") => TOOLS.iter().any(|tool| tool.name == word),
                None => {
                    is_property(word)
                        || OTHER_WORDS.contains(&word)
                        || TOOLS.iter().any(|tool| tool.read_only_actions.contains(&word))
                        || takes("action", word)
                        || takes("status", word) && word.chars().all(|c| c.is_ascii_uppercase())
                }
            };
            assert!(known, "{}: `{word}` is no tool, parameter or value", path.display());
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn each_agent_has_the_tools_of_its_row_and_no_hands_of_its_own() {
    let team = Team::load(&team_dir()).unwrap();
    assert_eq!(team.face, "commander");
    for (id, agent) in &team.agents {
        let row: BTreeSet<&str> =
            TOOLS.iter().filter(|t| t.used_by.contains(&id.as_str())).map(|t| t.name).collect();
        let own: BTreeSet<&str> = agent.tools.iter().map(String::as_str).collect();
        let fleet: BTreeSet<&str> = own.iter().copied().filter(|name| name.starts_with("gf_")).collect();
        assert_eq!(fleet, row, "{id}");
        let others: Vec<&&str> = own.difference(&row).collect();
        assert!(others.iter().all(|name| name.starts_with("sessions_")), "{id}: {others:?}");
        for skill in &agent.skills {
            let text = fs::read_to_string(team_dir().join("skills").join(skill).join("SKILL.md")).unwrap();
            for word in quoted(&text).into_iter().filter(|word| word.starts_with("gf_")) {
                assert!(own.contains(word), "{id} reads skill {skill}, which names {word}");
            }
        }
    }
}

#[test]
fn skills_are_as_openclaw_reads_them() {
    for entry in fs::read_dir(team_dir().join("skills")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(folder.join("SKILL.md")).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("---"), "{name}");
        assert_eq!(lines.next(), Some(format!("name: {name}").as_str()));
        let description = lines.next().and_then(|line| line.strip_prefix("description: ")).unwrap();
        assert!(description.len() < 160, "{name}");
        assert_eq!(lines.next(), Some("---"), "{name}");
    }
}
