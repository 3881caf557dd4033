//! Snapshots and archives of an instance, and bringing their memory back into it.

use super::{Instance, Layout, claim, make, place, spec::LastSnapshot};
use crate::{
    files,
    host::{Failure, Outcome, now_ms},
    snapshot::{self, Cancel, Manifest, STATE_DIR, SnapshotError, Source, archive},
};
use gf_model::patch;
use gf_node_proto::{ArchiveReport, FailureCode, SnapshotMade, SnapshotReport};
use serde_json::Value;
use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Instant,
};

impl Instance {
    /// Copies the whole memory while everything of the instance stands still.
    pub async fn snapshot(
        &self,
        id: &str,
        destination: &str,
        only_if_changed: bool,
    ) -> Outcome<SnapshotReport> {
        let _turn = self.turn.lock().await;
        let destination = checked_path("destination", destination)?;
        if let Ok(manifest) = snapshot::read_manifest(&destination)
            && manifest.id == id
        {
            return Ok(report(&manifest, &destination));
        }
        let staging = beside(&destination, "part")?;
        let mut manifest = self.copy_to(&staging, id).await?;
        let last = self.spec.lock().last_snapshot.clone();
        manifest.changed = last.as_ref().is_none_or(|last| last.digest != manifest.memory_digest());
        if only_if_changed && !manifest.changed {
            files::remove_tree(&staging)?;
            return Ok(SnapshotReport {
                snapshot_id: last.map(|last| last.id).unwrap_or_default(),
                path: String::new(),
                ..report(&manifest, &destination)
            });
        }
        let (sealing, target) = (manifest.clone(), destination.clone());
        in_background(move |_| snapshot::seal(&staging, &target, &sealing)).await?;
        let made = LastSnapshot { id: id.to_owned(), digest: manifest.memory_digest() };
        self.remember(|spec| spec.last_snapshot = Some(made))?;
        self.report(SnapshotMade {
            snapshot_id: id.to_owned(),
            bytes: manifest.bytes(),
            changed: manifest.changed,
        });
        Ok(report(&manifest, &destination))
    }

    /// A final copy in one file, read back before it counts.
    pub async fn archive(&self, id: &str, destination: &str) -> Outcome<ArchiveReport> {
        let _turn = self.turn.lock().await;
        let destination = checked_path("destination", destination)?;
        let staging = beside(&destination, "staging")?;
        let manifest = if destination.exists() {
            // The answer to an earlier attempt was lost: what has its name was verified.
            None
        } else {
            Some(self.copy_to(&staging, id).await?)
        };
        let target = destination.clone();
        let (packed, taken_at_ms) = in_background(move |_| {
            let Some(manifest) = manifest else {
                return Ok((archive::verify(&target)?, archive::read_manifest(&target)?.taken_at_ms));
            };
            let sealed = staging.with_extension("sealed");
            files::remove_tree(&sealed)?;
            snapshot::seal(&staging, &sealed, &manifest)?;
            let packed = archive::pack(&sealed, &target);
            files::remove_tree(&sealed)?;
            Ok((packed?, manifest.taken_at_ms))
        })
        .await?;
        Ok(ArchiveReport {
            archive_id: id.to_owned(),
            bytes: packed.bytes,
            sha256: packed.sha256,
            path: destination.display().to_string(),
            taken_at_ms,
        })
    }

    /// Replaces this instance's memory by a copy's: prepared aside, then swapped in while it does not run.
    pub async fn restore(&self, source: &str, generation: u64, wait_ready: bool) -> Outcome<()> {
        let turn = self.turn.lock().await;
        self.accept_generation(generation)?;
        let source = Source::at(&checked_path("source", source)?);
        let next = self.layout.next_state();
        files::remove_tree(&next)?;
        let fresh = next.clone();
        in_background(move |cancel| snapshot::restore(&source, &fresh, cancel)).await?;
        claim::drop_claims(&self.local.runtime, &next).await?;
        // Configuration belongs to the instance and memory to the account: a copy from before a push or a rollback
        // must not bring the keys of its time along.
        let config = self.own_configuration();
        let text = serde_json::to_vec_pretty(&config).map_err(std::io::Error::from)?;
        files::write_private(&next.join("openclaw.json"), &text)?;
        // What it has in memory is about to be replaced: there is nothing to end gracefully.
        self.come_to_rest(false, true).await?;
        swap(&self.layout)?;
        self.want_running()?;
        // It boots by itself; whoever wants to stop or delete it meanwhile need not wait for that.
        drop(turn);
        if wait_ready { self.ready().await } else { Ok(()) }
    }

    /// The configuration as it stands with the owned keys in it; what it was made with where the file is malformed.
    fn own_configuration(&self) -> Value {
        let spec = self.spec.lock().clone();
        let Ok(mut config) = self.config_on_disk() else { return make::configuration(&spec, &self.layout) };
        // Channels belong to the place and the generation.
        if let Some(map) = config.as_object_mut().filter(|_| !spec.channels_open) {
            map.remove("channels");
        }
        if spec.owned.patch.is_object() {
            patch::apply(&mut config, &spec.owned.patch);
        }
        place::put_in_place(&config, place::Place::of(&spec, &self.layout))
    }

    /// A described copy of the state, not yet durable and without its final name.
    async fn copy_to(&self, staging: &Path, id: &str) -> Outcome<Manifest> {
        if let Some(parent) = staging.parent() {
            files::make_private_dir(parent)?;
        }
        files::remove_tree(staging)?;
        let manifest = {
            let spec = self.spec.lock();
            let live = self.live.lock();
            Manifest {
                format: Manifest::FORMAT,
                id: id.to_owned(),
                instance: self.id.clone(),
                account: spec.account.clone(),
                generation: spec.generation,
                taken_at_ms: now_ms(),
                frozen_ms: 0,
                openclaw_version: live.version.clone(),
                state_dir: self.layout.state().display().to_string(),
                changed: true,
                digest: String::new(),
                files: Vec::new(),
            }
        };
        let leader = self.live.lock().process.as_ref().map(|process| process.id().pid);
        // One that is parked stands still already, and is not to be thawed by this.
        let leader = leader.filter(|_| !self.is_parked());
        let (group, state, staging) = (self.cgroup(), self.layout.state(), staging.to_owned());
        self.live.lock().standing_still = true;
        let copied = in_background(move |cancel| {
            files::make_private_dir(&staging)?;
            let begun = Instant::now();
            let frozen = leader.map(|leader| group.freeze(leader)).transpose()?;
            let copied = snapshot::copy_tree(&state, &staging.join(STATE_DIR), cancel);
            drop(frozen);
            let mut manifest = manifest;
            manifest.frozen_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
            let described = copied.and_then(|()| snapshot::describe(&staging, &mut manifest));
            if described.is_err() {
                files::remove_tree(&staging)?;
            }
            described.map(|()| manifest)
        })
        .await;
        self.live.lock().standing_still = false;
        copied
    }
}

/// Runs file work aside; dropping the future stops the work at its next file.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce(&Cancel) -> Result<T, SnapshotError> + Send + 'static,
) -> Outcome<T> {
    struct Stop(Arc<Cancel>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let cancel = Arc::new(Cancel::default());
    let stop = Stop(Arc::clone(&cancel));
    let done = tokio::task::spawn_blocking(move || work(&cancel)).await;
    drop(stop);
    match done {
        Ok(outcome) => Ok(outcome?),
        Err(why) => Err(Failure::new(FailureCode::Io, format!("copying ended early: {why}"))),
    }
}

/// A state that was prepared takes the place of the old one.
fn swap(layout: &Layout) -> std::io::Result<()> {
    files::remove_tree(&layout.old_state())?;
    if layout.state().exists() {
        fs::rename(layout.state(), layout.old_state())?;
    }
    fs::rename(layout.next_state(), layout.state())?;
    files::sync_parent(&layout.state())?;
    files::remove_tree(&layout.old_state())
}

/// Ends a swap that a crash interrupted: without a state the prepared one is it, else the old one.
pub(super) fn finish_swap(layout: &Layout) -> std::io::Result<()> {
    if !layout.state().exists() {
        if layout.next_state().exists() {
            fs::rename(layout.next_state(), layout.state())?;
        } else if layout.old_state().exists() {
            fs::rename(layout.old_state(), layout.state())?;
        }
    }
    files::remove_tree(&layout.old_state())?;
    files::remove_tree(&layout.next_state())
}

/// An absolute path without detours.
fn checked_path(field: &str, given: &str) -> Outcome<PathBuf> {
    let path = PathBuf::from(given);
    let straight = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if path.is_absolute() && straight && path.parent().is_some() {
        Ok(path)
    } else {
        Err(Failure::invalid(field, format!("{given:?}"), "give an absolute path without . or .."))
    }
}

/// A name next to `path` for what is not complete yet.
fn beside(path: &Path, mark: &str) -> Outcome<PathBuf> {
    let name = path.file_name().map(|name| format!(".{}.{mark}", name.to_string_lossy()));
    let name = name.ok_or_else(|| Failure::invalid("destination", path.display(), "give it a name"))?;
    Ok(path.with_file_name(name))
}

fn report(manifest: &Manifest, path: &Path) -> SnapshotReport {
    SnapshotReport {
        snapshot_id: manifest.id.clone(),
        changed: manifest.changed,
        bytes: manifest.bytes(),
        files: u32::try_from(manifest.files.len()).unwrap_or(u32::MAX),
        taken_at_ms: manifest.taken_at_ms,
        frozen_ms: manifest.frozen_ms,
        sha256: manifest.memory_digest(),
        path: path.display().to_string(),
    }
}

impl From<SnapshotError> for Failure {
    fn from(why: SnapshotError) -> Self {
        match why {
            SnapshotError::Io(why) => why.into(),
            SnapshotError::Exists { .. } => Self::new(FailureCode::AlreadyExists, why),
            SnapshotError::Corrupt { .. } => Self::new(FailureCode::Corrupt, why),
            SnapshotError::Cancelled => Self::new(FailureCode::Cancelled, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_detours_are_refused() {
        assert!(checked_path("destination", "/a/b").is_ok());
        for bad in ["a/b", "/a/../b", "", "/"] {
            assert!(checked_path("destination", bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn an_interrupted_swap_is_finished_with_the_prepared_state() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path(), "i-1");
        for (path, word) in [(layout.next_state(), "new"), (layout.old_state(), "old")] {
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("word"), word).unwrap();
        }
        finish_swap(&layout).unwrap();
        assert_eq!(fs::read_to_string(layout.state().join("word")).unwrap(), "new");
        assert!(!layout.old_state().exists() && !layout.next_state().exists());
    }
}
