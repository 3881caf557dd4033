//! Configuration of a running instance: read the hash, let OpenClaw check and write, read back, remember the
//! way back.
//!
//! Whatever is refused leaves the file as it was. OpenClaw rewrites its own file, so that only owned key paths
//! are judged.

use super::{Instance, dotted, spec::Step};
use crate::{
    host::{Failure, Outcome},
    redact,
};
use gf_model::patch;
use gf_node_proto::{ConfigApplied, ConfigChange, ConfigChanges, ConfigDocument, FailureCode, FailureReason};
use openclaw_client::{Client, methods::ConfigPatched};
use serde_json::Value;
use std::time::Duration;

const QUICK: Duration = Duration::from_secs(15);
/// How far back a rollback can reach.
const STEPS_KEPT: usize = 16;

impl Instance {
    /// Applies a revision: all of it, or none and a reason.
    pub async fn push(&self, revision: &str, change: &Value, expected_hash: &str) -> Outcome<ConfigApplied> {
        let _turn = self.turn.lock().await;
        patch::check(change).map_err(|why| Failure::invalid("patch", "it", why))?;
        let client = self.client().await?;
        let hash = self.hash_of_valid(&client).await?;
        if !expected_hash.is_empty() && expected_hash != hash {
            let message = format!("the configuration of {} changed meanwhile; read it again", self.id);
            return Err(Failure::new(FailureCode::Conflict, message));
        }
        let before = self.config_on_disk()?;
        self.remember_way_back(revision, &before, change)?;
        let note = format!("ClawOps revision {revision}");
        let written = match self.write(&client, change, &hash, &note).await {
            Ok(written) => written,
            Err(why) => {
                self.forget_way_back(revision)?;
                return Err(why);
            }
        };
        self.read_back(change)?;
        self.remember(|spec| {
            patch::merge(&mut spec.owned.patch, change);
            revision.clone_into(&mut spec.owned.revision);
        })?;
        Ok(applied(revision, hash, written, changes(&before, change)))
    }

    /// Puts this instance's own previous values of a revision's paths back.
    pub async fn rollback(&self, revision: &str) -> Outcome<ConfigApplied> {
        let _turn = self.turn.lock().await;
        let (last, known) = {
            let spec = self.spec.lock();
            let known = spec.owned.steps.iter().any(|step| step.revision == revision);
            (spec.owned.steps.last().cloned(), known)
        };
        let step = match last {
            Some(step) if step.revision == revision => step,
            // It never took effect here (it was refused, or the instance is younger): nothing to take back.
            _ if !known => {
                let revision = self.spec.lock().owned.revision.clone();
                return Ok(ConfigApplied { revision, ..ConfigApplied::default() });
            }
            last => {
                let later = last.map(|step| step.revision).unwrap_or_default();
                let message = format!("{} went on to {later}; take that back first", self.id);
                return Err(Failure::new(FailureCode::Conflict, message));
            }
        };
        let client = self.client().await?;
        let hash = self.hash_of_valid(&client).await?;
        let before = self.config_on_disk()?;
        let note = format!("ClawOps takes revision {revision} back");
        let written = self.write(&client, &step.undo, &hash, &note).await?;
        self.read_back(&step.undo)?;
        self.remember(|spec| {
            spec.owned.steps.pop();
            spec.owned.patch = step.previous_patch;
            spec.owned.revision.clone_from(&step.previous_revision);
        })?;
        Ok(applied(&step.previous_revision, hash, written, changes(&before, &step.undo)))
    }

    /// The configuration without secrets.
    pub async fn document(&self) -> Outcome<ConfigDocument> {
        let mut document = self.config_on_disk()?;
        let hash = match self.client().await {
            Ok(client) => client.config_get().await.map(|got| got.hash).unwrap_or_default(),
            Err(_) => String::new(),
        };
        let (revision, owned) = {
            let spec = self.spec.lock();
            (spec.owned.revision.clone(), spec.owned.patch.clone())
        };
        let drifted = dotted(patch::differences(&document, &owned));
        redact::document(&mut document);
        let json = serde_json::to_string_pretty(&document).unwrap_or_default();
        Ok(ConfigDocument { json, hash, revision, owned_paths: dotted(patch::owned_paths(&owned)), drifted })
    }

    /// What a patch would change here; nothing is written.
    pub fn diff(&self, change: &Value) -> Outcome<ConfigChanges> {
        patch::check(change).map_err(|why| Failure::invalid("patch", "it", why))?;
        let before = self.config_on_disk()?;
        Ok(ConfigChanges { changes: changes(&before, change), valid: true, issues: Vec::new() })
    }

    /// The hash that guards a write, of a configuration that OpenClaw itself calls valid.
    pub(super) async fn hash_of_valid(&self, client: &Client) -> Outcome<String> {
        let got = client.call("config.get", Value::Object(Default::default()), QUICK).await?;
        if got["valid"] == Value::Bool(false) {
            let message = format!("the configuration of {} is malformed; nothing was written", self.id);
            return Err(Failure::new(FailureCode::ConfigFlagged, message)
                .because(FailureReason::InvalidConfig)
                .with_issues(issues(&got["issues"])));
        }
        let hash = got["hash"].as_str().map(str::to_owned);
        hash.ok_or_else(|| Failure::new(FailureCode::Openclaw, "config.get answered without a hash"))
    }

    /// Writes through OpenClaw, which checks first and writes nothing of what it refuses.
    pub(super) async fn write(
        &self,
        client: &Client,
        change: &Value,
        hash: &str,
        note: &str,
    ) -> Outcome<ConfigPatched> {
        client.config_patch(change, hash, note, &arrays(change)).await.map_err(|why| {
            let Some(refusal) = why.rpc().filter(|refusal| refusal.code == "INVALID_REQUEST") else {
                return why.into();
            };
            let found =
                refusal.details.as_ref().map(|details| issues(&details["issues"])).unwrap_or_default();
            let found = if found.is_empty() { vec![refusal.message.clone()] } else { found };
            let message = format!("OpenClaw refuses this configuration on {}; nothing was written", self.id);
            Failure::new(FailureCode::ConfigFlagged, message)
                .because(FailureReason::InvalidConfig)
                .with_issues(found)
        })
    }

    /// What was asked for is what stands there now.
    pub(super) fn read_back(&self, change: &Value) -> Outcome<()> {
        let missed = dotted(patch::differences(&self.config_on_disk()?, change));
        if missed.is_empty() {
            return Ok(());
        }
        let message =
            format!("{} answered that it wrote, but {} read back differently", self.id, missed.join(", "));
        Err(Failure::new(FailureCode::ConfigFlagged, message))
    }

    /// Before the write, so that a crash in the middle still knows what stood there first.
    fn remember_way_back(&self, revision: &str, before: &Value, change: &Value) -> Outcome<()> {
        Ok(self.remember(|spec| {
            let owned = &mut spec.owned;
            if owned.steps.last().is_some_and(|step| step.revision == revision) {
                return;
            }
            owned.steps.push(Step {
                revision: revision.to_owned(),
                undo: patch::inverse(before, change),
                previous_revision: owned.revision.clone(),
                previous_patch: owned.patch.clone(),
            });
            let surplus = owned.steps.len().saturating_sub(STEPS_KEPT);
            owned.steps.drain(..surplus);
        })?)
    }

    fn forget_way_back(&self, revision: &str) -> Outcome<()> {
        Ok(self.remember(|spec| {
            let refused = spec.owned.steps.last().is_some_and(|step| step.revision == revision);
            if refused && spec.owned.revision != revision {
                spec.owned.steps.pop();
            }
        })?)
    }
}

fn applied(
    revision: &str,
    old_hash: String,
    written: ConfigPatched,
    changes: Vec<ConfigChange>,
) -> ConfigApplied {
    ConfigApplied {
        revision: revision.to_owned(),
        hash: written.hash.unwrap_or(old_hash),
        applied: true,
        restart_required: written.requires_restart,
        changes,
    }
}

/// What a patch changes, for people: path, before, after, without secrets.
fn changes(before: &Value, change: &Value) -> Vec<ConfigChange> {
    let shown = |path: &[String], value: Option<&Value>| {
        value.filter(|value| !value.is_null()).map(|value| redact::value_at(path, value).to_string())
    };
    patch::owned_paths(change)
        .into_iter()
        .filter(|path| patch::at(before, path) != patch::at(change, path).filter(|value| !value.is_null()))
        .map(|path| ConfigChange {
            before: shown(&path, patch::at(before, &path)),
            after: shown(&path, patch::at(change, &path)),
            path: path.join("."),
        })
        .collect()
}

/// Arrays that a patch replaces; OpenClaw shortens only those that are named.
fn arrays(change: &Value) -> Vec<String> {
    let paths = patch::owned_paths(change).into_iter();
    paths
        .filter(|path| patch::at(change, path).is_some_and(Value::is_array))
        .map(|path| path.join("."))
        .collect()
}

pub(super) fn issues(found: &Value) -> Vec<String> {
    let one = |issue: &Value| {
        let message = issue["message"].as_str().or(issue.as_str()).unwrap_or("refused").to_owned();
        match issue["path"].as_str() {
            Some(path) if !path.is_empty() => format!("{path}: {message}"),
            _ => message,
        }
    };
    found.as_array().map(|issues| issues.iter().map(one).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_diff_shows_what_changes_and_hides_secrets() {
        let before =
            json!({"tts": {"auto": "off"}, "same": 1, "models": {"providers": {"a": {"apiKey": "old-key"}}}});
        let change = json!({
            "tts": {"auto": "tagged"}, "same": 1, "gone": null, "fresh": [1],
            "models": {"providers": {"a": {"apiKey": "new-key"}}}
        });
        let shown = changes(&before, &change);
        let paths: Vec<_> = shown.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["tts.auto", "fresh", "models.providers.a.apiKey"]);
        assert_eq!(shown[0].before.as_deref(), Some("\"off\""));
        assert_eq!(shown[1].before, None);
        assert!(!format!("{shown:?}").contains("-key"), "{shown:?}");
        assert_eq!(arrays(&change), ["fresh"]);
    }

    #[test]
    fn issues_are_read_in_both_shapes() {
        assert_eq!(issues(&json!([{"path": "a.b", "message": "bad"}, "worse"])), ["a.b: bad", "worse"]);
    }
}
