//! The configuration of a simulated OpenClaw: a JSON document in memory that is patched, read back, taken back
//! and, when somebody breaks it, malformed. It is kept as text, since a fleet of thousands holds one each.

use crate::host::{Failed, about, failure};
use gf_model::patch;
use gf_node_proto::{ConfigApplied, ConfigChange, ConfigDocument, FailureCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What OpenClaw 2026.9.6 knows at the top of its configuration; it refuses a file that holds anything else.
const KNOWN: [&str; 44] = [
    "$schema",
    "accessGroups",
    "acp",
    "agents",
    "approvals",
    "attachments",
    "auth",
    "bindings",
    "broadcast",
    "browser",
    "channels",
    "cloudWorkers",
    "commands",
    "cron",
    "desktop",
    "diagnostics",
    "discovery",
    "env",
    "gateway",
    "hooks",
    "logging",
    "mcp",
    "memory",
    "messages",
    "meta",
    "models",
    "nodeHost",
    "plugins",
    "proxy",
    "secrets",
    "security",
    "session",
    "skills",
    "surfaces",
    "talk",
    "telemetry",
    "tools",
    "transcripts",
    "tts",
    "ui",
    "update",
    "wizard",
    "worktreeAcceleration",
    "worktreeRoot",
];

/// Words in a key whose value is not shown.
const SECRET: [&str; 4] = ["token", "secret", "password", "apikey"];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    text: Box<str>,
    /// What it was made with, before anything was owned.
    base: Box<str>,
    /// Every pushed patch, merged: what drift is judged on.
    owned: Box<str>,
    revision: Box<str>,
    taken: Vec<Taken>,
    /// What is written to it is answered for and does not stay.
    #[serde(default)]
    pub loses_writes: bool,
}

/// A revision that was taken, with the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    revision: Box<str>,
    revision_before: Box<str>,
    owned_before: Box<str>,
    undo: Box<str>,
}

fn read(text: &str) -> Result<Value, Failed> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(flagged("the configuration is not a JSON object", Vec::new())),
        Err(why) => Err(flagged("the configuration is malformed", vec![why.to_string()])),
    }
}

fn flagged(message: &str, issues: Vec<String>) -> Failed {
    let mut flagged = failure(FailureCode::ConfigFlagged, message);
    flagged.issues = issues;
    flagged
}

fn parse_patch(text: &str) -> Result<Value, Failed> {
    let wrong = |why: String| {
        let wrong = failure(FailureCode::InvalidArgument, format!("the patch is not a JSON object: {why}"));
        about(wrong, "patch", "", "send a JSON merge patch such as {\"tts\":{\"auto\":\"tagged\"}}")
    };
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(wrong(format!("it is {other}"))),
        Err(why) => Err(wrong(why.to_string())),
    }
}

/// What OpenClaw would say against a configuration.
/// Anywhere in a configuration: it is valid, and OpenClaw does not answer under it.
const WEDGE: &str = "\"wedge\"";

fn issues(config: &Value) -> Vec<String> {
    let unknown = config.as_object().into_iter().flatten().filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    unknown.map(|(key, _)| format!("<root>: Unrecognized key: \"{key}\"")).collect()
}

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn redacted(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        if let Value::Object(map) = value {
            for (key, inner) in map.iter_mut() {
                let key = key.to_ascii_lowercase();
                match inner {
                    Value::String(text) if SECRET.iter().any(|word| key.contains(word)) => {
                        *text = "[redacted]".into()
                    }
                    _ => walk(inner),
                }
            }
        }
    }
    walk(&mut value);
    value
}

impl Document {
    pub(crate) fn new(config: &str, owned: &str, revision: &str) -> Result<Self, Failed> {
        let base = if config.is_empty() { "{}" } else { config };
        let owned = if owned.is_empty() { "{}" } else { owned };
        let mut config = read(base)?;
        patch::apply(&mut config, &parse_patch(owned)?);
        let wrong = issues(&config);
        if !wrong.is_empty() {
            return Err(flagged("OpenClaw refuses this configuration", wrong));
        }
        Ok(Self {
            text: config.to_string().into(),
            base: base.into(),
            owned: owned.into(),
            revision: revision.into(),
            taken: Vec::new(),
            loses_writes: false,
        })
    }

    /// Somebody edited the file.
    pub(crate) fn edit(&mut self, patch: &str) -> Result<(), Failed> {
        let (.., after, _) = self.with(patch)?;
        self.text = after.to_string().into();
        Ok(())
    }

    /// Somebody saved half a file.
    pub(crate) fn malform(&mut self) {
        self.text = self.text[..self.text.len() - 1].into();
    }

    /// Somebody wrote the missing half.
    pub(crate) fn repair(&mut self) {
        if self.is_malformed() {
            self.text = format!("{}}}", self.text).into();
        }
    }

    pub(crate) fn is_malformed(&self) -> bool {
        read(&self.text).is_err()
    }

    /// Whether OpenClaw took a configuration under which it does not answer.
    pub(crate) fn wedges(&self) -> bool {
        self.text.contains(WEDGE)
    }

    pub(crate) fn revision(&self) -> &str {
        &self.revision
    }

    /// A number for what the owned paths hold now.
    pub(crate) fn owned_hash(&self) -> String {
        let Ok(config) = read(&self.text) else { return String::new() };
        patch::fingerprint(&config, &read(&self.owned).unwrap_or_default())
    }

    /// Owned paths whose present value is not the one that was pushed.
    pub(crate) fn drifted(&self) -> Vec<String> {
        if &*self.owned == "{}" {
            return Vec::new();
        }
        let (config, owned) = (read(&self.text).unwrap_or_default(), read(&self.owned).unwrap_or_default());
        dotted(patch::differences(&config, &owned))
    }

    /// The configuration with the patch in it and what differs, or why OpenClaw would not take it.
    pub(crate) fn with(&self, patch: &str) -> Result<(Value, Value, Vec<ConfigChange>), Failed> {
        let patch = parse_patch(patch)?;
        let before = read(&self.text)?;
        let mut after = before.clone();
        patch::apply(&mut after, &patch);
        let wrong = issues(&after);
        if !wrong.is_empty() {
            return Err(flagged("OpenClaw refuses this configuration; nothing was written", wrong));
        }
        let changes = changes(&before, &after, &patch);
        Ok((patch, after, changes))
    }

    pub(crate) fn push(
        &mut self,
        revision: &str,
        patch: &str,
        expected_hash: &str,
    ) -> Result<ConfigApplied, Failed> {
        let now = hash(&self.text);
        if !expected_hash.is_empty() && expected_hash != now {
            let changed = failure(FailureCode::Conflict, "the configuration has changed meanwhile");
            return Err(about(
                changed,
                "expected_hash",
                expected_hash,
                format!("read it again; its hash is {now}"),
            ));
        }
        let (patch, after, changes) = self.with(patch)?;
        let before = read(&self.text)?;
        let mut owned = read(&self.owned)?;
        let taken = Taken {
            revision: revision.into(),
            revision_before: self.revision.clone(),
            owned_before: self.owned.clone(),
            undo: patch::inverse(&before, &patch).to_string().into(),
        };
        patch::merge(&mut owned, &patch);
        self.taken.push(taken);
        self.write(&after);
        self.owned = owned.to_string().into();
        self.revision = revision.into();
        Ok(self.applied(changes))
    }

    /// Makes it own exactly these keys, whatever it held and owned.
    pub(crate) fn align(&mut self, revision: &str, owned: &str) -> Result<ConfigApplied, Failed> {
        let (base, from, to) = (read(&self.base)?, read(&self.owned)?, parse_patch(owned)?);
        let (.., after, changes) = self.with(&patch::change_over(&base, &from, &to).to_string())?;
        let known = self.taken.iter().position(|taken| &*taken.revision == revision);
        let led_on = self.taken.iter().position(|taken| &*taken.revision_before == revision);
        let kept = known.map(|last| last + 1).or(led_on).unwrap_or(self.taken.len());
        self.taken.truncate(kept);
        self.write(&after);
        self.owned = to.to_string().into();
        self.revision = revision.into();
        Ok(self.applied(changes))
    }

    fn write(&mut self, after: &Value) {
        if !self.loses_writes {
            self.text = after.to_string().into();
        }
    }

    /// Takes back what a revision did here. A revision that was never taken here changes nothing.
    pub(crate) fn roll_back(&mut self, revision: &str) -> Result<ConfigApplied, Failed> {
        let Some(place) = self.taken.iter().rposition(|taken| &*taken.revision == revision) else {
            return Ok(ConfigApplied { applied: false, ..self.applied(Vec::new()) });
        };
        let before = read(&self.text)?;
        let undo = parse_patch(&self.taken[place].undo)?;
        let mut after = before.clone();
        patch::apply(&mut after, &undo);
        let taken = self.taken.remove(place);
        self.text = after.to_string().into();
        self.owned = taken.owned_before;
        self.revision = taken.revision_before;
        Ok(self.applied(changes(&before, &after, &undo)))
    }

    fn applied(&self, changes: Vec<ConfigChange>) -> ConfigApplied {
        ConfigApplied {
            revision: self.revision.to_string(),
            hash: hash(&self.text),
            applied: true,
            restart_required: false,
            changes,
            owned_hash: self.owned_hash(),
        }
    }

    pub(crate) fn read_back(&self, with_owned: bool) -> Result<ConfigDocument, Failed> {
        let config = read(&self.text)?;
        let owned = read(&self.owned)?;
        Ok(ConfigDocument {
            drifted: dotted(patch::differences(&config, &owned)),
            owned_paths: dotted(patch::owned_paths(&owned)),
            json: redacted(config).to_string(),
            hash: hash(&self.text),
            revision: self.revision.to_string(),
            owned: with_owned.then(|| owned.to_string().into()),
        })
    }
}

fn dotted(paths: Vec<patch::KeyPath>) -> Vec<String> {
    paths.into_iter().map(|path| path.join(".")).collect()
}

fn changes(before: &Value, after: &Value, patch: &Value) -> Vec<ConfigChange> {
    let (before, after) = (redacted(before.clone()), redacted(after.clone()));
    let text = |document: &Value, path: &[String]| patch::at(document, path).map(Value::to_string);
    patch::owned_paths(patch)
        .into_iter()
        .map(|path| ConfigChange {
            path: path.join("."),
            before: text(&before, &path),
            after: text(&after, &path),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str =
        r#"{"agents":{"defaults":{"model":{"primary":"a"}}},"gateway":{"auth":{"token":"s3cret"}}}"#;

    #[test]
    fn a_push_reads_back_and_rolls_back_to_what_was_there() {
        let mut document = Document::new(BASE, "", "v1").unwrap();
        let untouched = document.clone();
        document.push("v2", r#"{"tts":{"auto":"tagged"}}"#, "").unwrap();
        let read = document.read_back(false).unwrap();
        assert_eq!((read.owned_paths, read.drifted.len()), (vec!["tts.auto".to_owned()], 0));
        assert!(read.json.contains("tagged") && !read.json.contains("s3cret"), "{}", read.json);
        let back = document.roll_back("v2").unwrap();
        assert!(back.applied && back.revision == "v1");
        assert_eq!(
            document.read_back(false).unwrap().owned_paths,
            untouched.read_back(false).unwrap().owned_paths
        );
        assert!(!document.roll_back("v2").unwrap().applied, "it was taken back already");
    }

    #[test]
    fn what_openclaw_refuses_is_flagged_and_writes_nothing() {
        let mut document = Document::new(BASE, "", "v1").unwrap();
        let before = document.clone();
        let refused = document.push("v2", r#"{"nonsense":1}"#, "").unwrap_err();
        assert_eq!(refused.code(), FailureCode::ConfigFlagged);
        assert!(refused.issues[0].contains("nonsense"));
        assert_eq!(document, before);
    }

    #[test]
    fn a_malformed_file_is_flagged_and_not_overwritten() {
        let mut document = Document::new(BASE, "", "v1").unwrap();
        document.malform();
        assert!(document.is_malformed());
        let refused = document.push("v2", r#"{"tts":{"auto":"tagged"}}"#, "").unwrap_err();
        assert_eq!(refused.code(), FailureCode::ConfigFlagged);
        assert!(document.is_malformed());
    }
}
