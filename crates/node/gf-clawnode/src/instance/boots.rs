//! How many gateways of one machine boot at once, whichever gf-clawnode starts them.
//!
//! A boot keeps a core busy for seconds; too many at once starve each other until OpenClaw misses its own heartbeat and
//! gives up. A place is a locked file in a directory that all nodes of the machine share: the kernel frees it with the
//! process that held it. It must never hold up a gateway for good: where the directory cannot be used, everything boots.

use crate::files;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io,
    num::NonZero,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::Duration,
};
use tokio::time::sleep;

/// A boot that takes longer may hang, and others must not wait for it.
pub const PLACE_HELD_AT_MOST: Duration = Duration::from_secs(60);
/// Locks of several files cannot be awaited, only tried.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody is without an answer until it serves.
    Urgent,
    CanWait,
}

/// A standby can wait, unless it was called to a newer generation since its last life: then it is about to take over.
pub fn urgency(standby: bool, generation: u64, generation_of_last_life: u64) -> Urgency {
    if !standby || generation > generation_of_last_life { Urgency::Urgent } else { Urgency::CanWait }
}

/// A place to boot; given back when it is dropped.
#[derive(Debug)]
pub struct BootPlace {
    _locked: Option<File>,
}

#[derive(Debug, Clone)]
pub struct Boots {
    dir: PathBuf,
    places: usize,
}

impl Boots {
    /// One place for each core that this process may use: measured, see `docs/node.md`.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, places: available_parallelism().map_or(1, NonZero::get) }
    }

    /// Waits for a place; `waits` is told once if there is none right now.
    pub async fn enter(&self, urgency: Urgency, waits: impl FnOnce()) -> BootPlace {
        match self.queue(urgency, waits).await {
            Ok(place) => place,
            Err(why) => {
                tracing::warn!(dir = %self.dir.display(), %why, "boots are not paced");
                BootPlace { _locked: None }
            }
        }
    }

    async fn queue(&self, urgency: Urgency, waits: impl FnOnce()) -> io::Result<BootPlace> {
        files::make_private_dir(&self.dir)?;
        if let Some(place) = self.try_enter(urgency)? {
            return Ok(place);
        }
        waits();
        let mut mark = None;
        loop {
            // Seen by the nodes of this machine: whoever can wait lets this one pass.
            if urgency == Urgency::Urgent && mark.is_none() {
                mark = lock(&self.urgent(), FlockOperation::NonBlockingLockShared)?;
            }
            sleep(LOOK_EVERY).await;
            if let Some(place) = self.try_enter(urgency)? {
                return Ok(place);
            }
        }
    }

    fn try_enter(&self, urgency: Urgency) -> io::Result<Option<BootPlace>> {
        let open = match urgency {
            // One more than there are cores, so that a row of standbys never stands before a user's gateway.
            Urgency::Urgent => self.places + 1,
            Urgency::CanWait if self.somebody_is_urgent()? => 0,
            Urgency::CanWait => self.places,
        };
        for place in 0..open {
            let file = self.dir.join(format!("place-{place}"));
            if let Some(locked) = lock(&file, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(Some(BootPlace { _locked: Some(locked) }));
            }
        }
        Ok(None)
    }

    fn somebody_is_urgent(&self) -> io::Result<bool> {
        Ok(lock(&self.urgent(), FlockOperation::NonBlockingLockExclusive)?.is_none())
    }

    fn urgent(&self) -> PathBuf {
        self.dir.join("urgent")
    }
}

/// `None` while somebody else holds it.
fn lock(path: &Path, how: FlockOperation) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match flock(&file, how) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn one_place() -> (tempfile::TempDir, Boots) {
        let dir = tempfile::tempdir().unwrap();
        let boots = Boots { dir: dir.path().join("boots"), places: 1 };
        (dir, boots)
    }

    /// Another node of the machine.
    fn other(boots: &Boots) -> Boots {
        Boots { dir: boots.dir.clone(), places: boots.places }
    }

    async fn at_once(boots: &Boots, urgency: Urgency) -> BootPlace {
        boots.enter(urgency, || panic!("it had to wait")).await
    }

    #[test]
    fn a_primary_and_a_standby_that_takes_over_are_urgent() {
        assert_eq!(urgency(false, 1, 1), Urgency::Urgent);
        assert_eq!(urgency(true, 1, 1), Urgency::CanWait);
        assert_eq!(urgency(true, 2, 1), Urgency::Urgent);
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_for_one_of_either_node_and_says_so() {
        let (_dir, boots) = one_place();
        let first = at_once(&boots, Urgency::CanWait).await;
        let (said, waits) = tokio::sync::oneshot::channel();
        let second = other(&boots);
        let second =
            tokio::spawn(async move { second.enter(Urgency::CanWait, || said.send(()).unwrap()).await });
        waits.await.expect("it did not say that it waits");
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn an_urgent_boot_does_not_stand_behind_standbys_and_standbys_let_it_pass() {
        let (_dir, boots) = one_place();
        let standby = at_once(&boots, Urgency::CanWait).await;
        let primary = at_once(&boots, Urgency::Urgent).await;

        let (said, waits) = tokio::sync::oneshot::channel();
        let queueing = other(&boots);
        let next =
            tokio::spawn(async move { queueing.enter(Urgency::Urgent, || said.send(()).unwrap()).await });
        waits.await.unwrap();
        // The lock that tells of it is taken right after it was said.
        while !boots.somebody_is_urgent().unwrap() {
            tokio::task::yield_now().await;
        }
        drop(standby);
        assert!(boots.try_enter(Urgency::CanWait).unwrap().is_none(), "a standby overtook a primary");
        let next = next.await.unwrap();
        drop((primary, next));
        assert!(boots.try_enter(Urgency::CanWait).unwrap().is_some());
    }

    #[tokio::test]
    async fn a_node_that_dies_leaves_its_place() {
        let (dir, boots) = one_place();
        drop(at_once(&boots, Urgency::CanWait).await);
        let said = dir.path().join("holds");
        let script = format!(
            "exec 9>>{}; flock 9; echo yes >{}; exec sleep 1000",
            boots.dir.join("place-0").display(),
            said.display()
        );
        let mut node = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap();
        while !said.exists() {
            tokio::task::yield_now().await;
        }
        assert!(boots.try_enter(Urgency::CanWait).unwrap().is_none(), "its place was given away");
        node.kill().unwrap();
        node.wait().unwrap();
        assert!(boots.try_enter(Urgency::CanWait).unwrap().is_some(), "a dead node holds a place");
    }

    #[tokio::test]
    async fn where_nothing_can_be_locked_everything_boots() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("boots"), "a file").unwrap();
        let boots = Boots { dir: dir.path().join("boots"), places: 1 };
        let _both = (at_once(&boots, Urgency::CanWait).await, at_once(&boots, Urgency::CanWait).await);
    }
}
