//! The program that this process is, and the one that takes its place when the control plane says so.
//!
//! A release comes over the node's own link, in pieces, beside the one that runs; it is believed by its digest and by the
//! signature of a release key. Then this process stops serving and waits, the new program runs as its child until it has
//! shaken hands with the control plane, and this process becomes it. Where it does not, this process serves on as it was.
//! The process keeps its number all the while and no OpenClaw notices. It must never leave a machine without a program
//! that serves, and never run what no release key signed.

mod stage;
mod state;
mod trial;

pub use state::{Pending, Start};
use trial::is_trial;
pub use trial::{ends_with_its_parent, say_passed, try_out};

use crate::{
    files,
    host::{Failure, Outcome},
    instance::{end_if_same, identify},
};
use gf_node_proto::{FailureCode, NodeUpdate, NodeUpdated, Release, VerifyingKey, verify_release};
use parking_lot::Mutex;
use semver::Version;
use state::{Me, Released, State};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::sync::Notify;

/// How long a new program may take until it has shaken hands. A lease that was renewed just before outlives it.
const TRIAL: Duration = Duration::from_secs(12);
const LONGEST_TRIAL: Duration = Duration::from_secs(15);

/// Names, to a release, which one it is: by its digest.
const RELEASE: &str = "CLAWOPS_NODE_RELEASE";

pub struct Program {
    home: PathBuf,
    keys: Vec<VerifyingKey>,
    me: Me,
    trial: bool,
    state: Mutex<State>,
    /// A release was accepted: this process is to make room for it.
    pub wanted: Notify,
}

impl Program {
    /// Who this process is, by what is written down beside it. Settles what an earlier process left half done.
    pub fn open(home: &Path, keys: Vec<VerifyingKey>) -> io::Result<(Self, Start)> {
        let path = file(home);
        let mut state: State = match fs::read(&path) {
            // What cannot be read names no program: the one that was installed runs.
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(why) if why.kind() == io::ErrorKind::NotFound => State::default(),
            Err(why) => return Err(why),
        };
        let started_as = std::env::var(RELEASE).ok();
        let me = Me::of(&state, started_as.as_deref(), std::env::current_exe()?);
        let trial = is_trial();
        let before = state.clone();
        if !trial && let Some(left) = state.pending.as_ref().and_then(|pending| pending.process.as_ref()) {
            end_if_same(left);
        }
        let mut start = state.begin(&me, trial);
        if let Start::Become(next) = &start
            && let Err(why) = next.check(&programs(home), &keys)
        {
            tracing::error!(%why, version = next.version, "the updated program cannot run; the installed one does");
            state.broke(&why);
            start = Start::Serve;
        }
        if state != before {
            files::make_private_dir(&programs(home))?;
            write(home, &state)?;
        }
        let state = Mutex::new(state);
        Ok((Self { home: home.to_owned(), keys, me, trial, state, wanted: Notify::new() }, start))
    }

    /// What this process says that it is.
    pub fn version(&self) -> &str {
        &self.me.version
    }

    /// Whether it only has to show that it can serve.
    pub fn is_tried(&self) -> bool {
        self.trial
    }

    /// The program to try, where one was accepted.
    pub fn pending(&self) -> Option<Pending> {
        self.state.lock().pending.clone()
    }

    /// How a program of this node is started as this process was; without a target, the installed one.
    pub fn command(&self, target: Option<&Released>) -> Option<Command> {
        let mut command = match target {
            Some(release) => {
                let mut command = Command::new(release.path(&programs(&self.home)));
                command.env(RELEASE, &release.sha256);
                command
            }
            None => {
                let mut command = Command::new(&self.state.lock().installed.as_ref()?.path);
                command.env_remove(RELEASE);
                command
            }
        };
        command.args(std::env::args_os().skip(1));
        Some(command)
    }

    /// Takes a piece of a release; answers how much of it is here.
    pub fn stage(&self, release: Option<Release>, offset: u64, chunk: &[u8]) -> Outcome<u64> {
        let release = release.ok_or_else(|| Failure::invalid("release", "nothing", "name the release"))?;
        self.believed(&release)?;
        let released = Released::of(&release)?;
        stage::take(&released.path(&programs(&self.home)), &released, offset, chunk)
    }

    fn believed(&self, release: &Release) -> Outcome<()> {
        if self.keys.is_empty() {
            let message = "this node knows no release key, so that it can believe no release; start it with --release-key";
            return Err(Failure::new(FailureCode::Refused, message));
        }
        verify_release(&self.keys, release).map_err(|_| {
            let message = format!(
                "release {} is not signed by a release key of this node, or was changed since; nothing was kept of it",
                release.version
            );
            Failure::new(FailureCode::Refused, message)
        })
    }

    /// Answers where the update is over, one way or the other. Otherwise this process makes room, and the same order,
    /// sent again, is answered by whoever serves then.
    pub async fn update(&self, key: &str, update: NodeUpdate) -> Outcome<NodeUpdated> {
        let release =
            update.release.ok_or_else(|| Failure::invalid("release", "nothing", "name the release"))?;
        if let Some(answer) = self.over(key, &release) {
            return answer;
        }
        let wanted = Version::parse(&release.version)
            .map_err(|why| Failure::invalid("release.version", format!("{:?}", release.version), why))?;
        let target = match update.rollback {
            true => self.way_back(&release.version)?,
            false => {
                self.believed(&release)?;
                self.is_newer(&wanted)?;
                Some(Released::of(&release)?)
            }
        };
        if let Some(released) = &target {
            released
                .check(&programs(&self.home), &self.keys)
                .map_err(|why| Failure::new(FailureCode::NotInstalled, why))?;
        }
        let within = match update.within_ms {
            0 => TRIAL,
            asked => Duration::from_millis(asked.into()).min(LONGEST_TRIAL),
        };
        let pending = Pending {
            key: key.to_owned(),
            version: release.version,
            target,
            within_ms: within.as_millis() as u64,
            process: None,
        };
        self.change(|state| state.pending = Some(pending))?;
        self.wanted.notify_one();
        // Whoever serves when this order comes again answers it.
        std::future::pending().await
    }

    fn over(&self, key: &str, release: &Release) -> Option<Outcome<NodeUpdated>> {
        let state = self.state.lock();
        if let Some(failed) = state.failed.as_ref().filter(|failed| failed.key == key) {
            return Some(Err(Failure::new(FailureCode::Program, &failed.why)));
        }
        (release.version == self.me.version).then(|| {
            let previous = state.previous_version().unwrap_or_default();
            Ok(NodeUpdated { version: self.me.version.clone(), previous })
        })
    }

    fn is_newer(&self, wanted: &Version) -> Outcome<()> {
        let mine = Version::parse(&self.me.version)
            .map_err(|why| Failure::invalid("version", format!("{:?}", self.me.version), why))?;
        if *wanted > mine {
            return Ok(());
        }
        let message = format!(
            "this node runs {mine}, and {wanted} is older; only a rollback goes back, to what ran here before"
        );
        Err(Failure::new(FailureCode::Refused, message))
    }

    fn way_back(&self, version: &str) -> Outcome<Option<Released>> {
        let state = self.state.lock();
        if let Some(previous) = state.previous.as_ref().filter(|previous| previous.version == version) {
            return Ok(Some(previous.clone()));
        }
        if state.installed.as_ref().is_some_and(|installed| installed.version == version) {
            return Ok(None);
        }
        let message =
            format!("{version} is not what ran on this node before, so that there is no way back to it");
        Err(Failure::new(FailureCode::Refused, message))
    }

    /// The program that is tried now, so that whoever is started instead can end it.
    pub fn is_trying(&self, pid: u32) -> io::Result<()> {
        let process = identify(pid);
        self.change(|state| {
            if let Some(pending) = &mut state.pending {
                pending.process = process;
            }
        })
    }

    /// How the trial ended. What stood before the program that passed stays as the way back; what is older goes.
    pub fn tried(&self, outcome: &Result<(), String>) -> io::Result<()> {
        self.change(|state| match outcome {
            Ok(()) => state.passed(),
            Err(why) => state.failed(why),
        })?;
        let kept = self.state.lock().kept();
        for entry in fs::read_dir(programs(&self.home)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir()
                && !kept.contains(&name)
                && let Err(why) = files::remove_tree(&entry.path())
            {
                tracing::warn!(program = name, %why, "an old program could not be removed");
            }
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut next = state.clone();
        change(&mut next);
        files::make_private_dir(&programs(&self.home))?;
        write(&self.home, &next)?;
        *state = next;
        Ok(())
    }
}

fn programs(home: &Path) -> PathBuf {
    home.join("programs")
}

fn file(home: &Path) -> PathBuf {
    programs(home).join("state.json")
}

fn write(home: &Path, state: &State) -> io::Result<()> {
    files::write_private(&file(home), &serde_json::to_vec_pretty(state)?)
}
