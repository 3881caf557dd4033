//! Revisions of a running instance's configuration: applied, read back, and taken back again.
//!
//! Whatever is refused leaves the file as it was. OpenClaw rewrites its own file, so that only owned key paths
//! are judged.

use super::{
    Instance, dotted,
    spec::{Owned, Step},
    write::{Rounds, Unwritten},
};
use crate::{
    host::{Failure, Outcome},
    redact,
};
use gf_model::patch;
use gf_node_proto::{ConfigApplied, ConfigChange, ConfigChanges, ConfigDocument, FailureCode};
use openclaw_client::{Client, methods::ConfigPatched};
use serde_json::Value;

/// How far back a rollback can reach.
const STEPS_KEPT: usize = 16;

impl Instance {
    /// Applies a revision: all of it, or none and a reason.
    pub async fn push(&self, revision: &str, change: &Value, expected_hash: &str) -> Outcome<ConfigApplied> {
        let _turn = self.turn.lock().await;
        patch::check(change).map_err(|why| Failure::invalid("patch", "it", why))?;
        let client = self.client().await?;
        let mut rounds = Rounds::default();
        loop {
            let round = self.push_once(&client, revision, change, expected_hash).await;
            if let Some(applied) = rounds.judge(round)? {
                return Ok(applied);
            }
        }
    }

    async fn push_once(
        &self,
        client: &Client,
        revision: &str,
        change: &Value,
        expected_hash: &str,
    ) -> Result<ConfigApplied, Unwritten> {
        let hash = self.hash_of_valid(client).await?;
        if !expected_hash.is_empty() && expected_hash != hash {
            let message = format!("the configuration of {} changed meanwhile; read it again", self.id);
            return Err(Failure::new(FailureCode::Conflict, message).into());
        }
        let before = self.config_on_disk()?;
        self.remember_way_back(revision, &before, change)?;
        let note = format!("ClawOps revision {revision}");
        let written = match self.write(client, change, &hash, &note).await {
            Ok(written) => written,
            Err(why) => {
                self.forget_way_back(revision)?;
                return Err(why);
            }
        };
        self.read_back(change)?;
        let remembered = self.remember(|spec| {
            patch::merge(&mut spec.owned.patch, change);
            revision.clone_into(&mut spec.owned.revision);
        });
        remembered.map_err(Failure::from)?;
        let applied = applied(revision, hash, written, changes(&before, change));
        Ok(ConfigApplied { owned_hash: self.owned_hash()?, ..applied })
    }

    /// Makes it own exactly these keys. What it owned besides goes back to what it was made with.
    pub async fn align(&self, revision: &str, owned: &Value) -> Outcome<ConfigApplied> {
        let _turn = self.turn.lock().await;
        if owned.as_object().is_none_or(|keys| !keys.is_empty()) {
            patch::check(owned).map_err(|why| Failure::invalid("patch", "it", why))?;
        }
        let change = {
            let spec = self.spec.lock();
            patch::change_over(&spec.base, &spec.owned.patch, owned)
        };
        let client = self.client().await?;
        let note = format!("ClawOps aligns with revision {revision}");
        let mut rounds = Rounds::default();
        let applied = loop {
            if let Some(applied) = rounds.judge(self.align_once(&client, revision, &change, &note).await)? {
                break applied;
            }
        };
        self.read_back(&change)?;
        self.remember(|spec| spec.owned = aligned(&spec.owned, revision, owned))?;
        Ok(ConfigApplied { owned_hash: self.owned_hash()?, ..applied })
    }

    /// A number for what stands on the disk at the owned paths.
    fn owned_hash(&self) -> Outcome<String> {
        Ok(patch::fingerprint(&self.config_on_disk()?, &self.spec.lock().owned.patch))
    }

    async fn align_once(
        &self,
        client: &Client,
        revision: &str,
        change: &Value,
        note: &str,
    ) -> Result<ConfigApplied, Unwritten> {
        let hash = self.hash_of_valid(client).await?;
        let before = self.config_on_disk()?;
        if patch::differences(&before, change).is_empty() {
            let revision = revision.to_owned();
            return Ok(ConfigApplied { revision, hash, applied: true, ..ConfigApplied::default() });
        }
        let written = self.write(client, change, &hash, note).await?;
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
        let note = format!("ClawOps takes revision {revision} back");
        let mut rounds = Rounds::default();
        let (hash, before, written) = loop {
            let round = self.write_step_back(&client, &step.undo, &note).await;
            if let Some(written) = rounds.judge(round)? {
                break written;
            }
        };
        self.read_back(&step.undo)?;
        self.remember(|spec| {
            spec.owned.steps.pop();
            spec.owned.patch = step.previous_patch;
            spec.owned.revision.clone_from(&step.previous_revision);
        })?;
        Ok(applied(&step.previous_revision, hash, written, changes(&before, &step.undo)))
    }

    async fn write_step_back(
        &self,
        client: &Client,
        undo: &Value,
        note: &str,
    ) -> Result<(String, Value, ConfigPatched), Unwritten> {
        let hash = self.hash_of_valid(client).await?;
        let before = self.config_on_disk()?;
        let written = self.write(client, undo, &hash, note).await?;
        Ok((hash, before, written))
    }

    /// The configuration without secrets; with the owned keys as they were pushed, where that is asked for.
    pub async fn document(&self, with_owned: bool) -> Outcome<ConfigDocument> {
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
        Ok(ConfigDocument {
            json,
            hash,
            revision,
            owned_paths: dotted(patch::owned_paths(&owned)),
            drifted,
            owned: with_owned.then(|| owned.to_string().into()),
        })
    }

    /// What a patch would change here; nothing is written.
    pub fn diff(&self, change: &Value) -> Outcome<ConfigChanges> {
        patch::check(change).map_err(|why| Failure::invalid("patch", "it", why))?;
        let before = self.config_on_disk()?;
        Ok(ConfigChanges { changes: changes(&before, change), valid: true, issues: Vec::new() })
    }

    /// Before the write, so that a crash in the middle still knows what stood there first.
    fn remember_way_back(&self, revision: &str, before: &Value, change: &Value) -> Outcome<()> {
        Ok(self.remember(|spec| {
            let owned = &mut spec.owned;
            if owned.revision == revision || owned.steps.last().is_some_and(|step| step.revision == revision)
            {
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

/// What is remembered of an instance that was made to own exactly these keys: ways back from later revisions lead
/// nowhere any more.
fn aligned(before: &Owned, revision: &str, patch: &Value) -> Owned {
    let mut steps = before.steps.clone();
    let known = steps.iter().position(|step| step.revision == revision).map(|last| last + 1);
    let led_on = || steps.iter().position(|step| step.previous_revision == revision);
    let kept = known.or_else(led_on).unwrap_or(steps.len());
    steps.truncate(kept);
    Owned { patch: patch.clone(), revision: revision.to_owned(), steps }
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
        owned_hash: String::new(),
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
    }

    #[test]
    fn aligning_keeps_the_ways_back_that_still_lead_somewhere() {
        let step = |revision: &str, previous: &str| Step {
            revision: revision.to_owned(),
            undo: json!({}),
            previous_revision: previous.to_owned(),
            previous_patch: json!({}),
        };
        let owned = Owned {
            patch: json!({"a": 3}),
            revision: "v3".into(),
            steps: vec![step("v1", ""), step("v2", "v1"), step("v3", "v2")],
        };
        let left = |revision: &str| {
            let after = aligned(&owned, revision, &json!({"b": 1}));
            assert_eq!((after.patch, after.revision.as_str()), (json!({"b": 1}), revision));
            after.steps.into_iter().map(|step| step.revision).collect::<Vec<_>>()
        };
        assert_eq!(left("v3"), ["v1", "v2", "v3"], "drift of the same revision takes no way back");
        assert_eq!(left("v4"), ["v1", "v2", "v3"], "it missed v4");
        assert_eq!(left("v2"), ["v1", "v2"], "v3 was taken back elsewhere");
        assert!(left("").is_empty(), "everything was taken back elsewhere");
    }
}
