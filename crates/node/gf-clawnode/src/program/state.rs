//! Which programs there are on this node, and which of them is to run: what is written down, and the decisions about it.

use crate::{
    host::{Failure, Outcome},
    instance::ProcessId,
};
use gf_node_proto::{Release, VerifyingKey, verify_release};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A release as it lies beside the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Released {
    pub version: String,
    pub sha256: String,
    pub size: u64,
    signature: String,
}

impl Released {
    pub fn of(release: &Release) -> Outcome<Self> {
        if let Err(why) = semver::Version::parse(&release.version) {
            return Err(Failure::invalid("release.version", format!("{:?}", release.version), why));
        }
        Ok(Self {
            version: release.version.clone(),
            sha256: hex::encode(&release.sha256),
            size: release.size,
            signature: hex::encode(&release.signature),
        })
    }

    pub fn path(&self, programs: &Path) -> PathBuf {
        programs.join(&self.sha256).join("gf-clawnode")
    }

    /// Whether what lies there is what was signed.
    pub fn check(&self, programs: &Path, keys: &[VerifyingKey]) -> Result<(), String> {
        let bytes = |text: &str| hex::decode(text).unwrap_or_default();
        let release = Release {
            version: self.version.clone(),
            sha256: bytes(&self.sha256),
            size: self.size,
            signature: bytes(&self.signature),
        };
        verify_release(keys, &release)
            .map_err(|_| format!("release {} is not signed by a release key of this node", self.version))?;
        let path = self.path(programs);
        let program = fs::read(&path)
            .map_err(|why| format!("release {} is not on this node as a whole: {why}", self.version))?;
        if hex::encode(Sha256::digest(&program)) != self.sha256 {
            return Err(format!("{} is not what was signed as release {}", path.display(), self.version));
        }
        Ok(())
    }
}

/// What somebody installed and what whoever watches this node starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    pub version: String,
    pub path: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The order that it was accepted by.
    pub key: String,
    pub version: String,
    /// None: the installed one.
    pub target: Option<Released>,
    pub within_ms: u64,
    pub process: Option<ProcessId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    pub key: String,
    pub version: String,
    pub why: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub installed: Option<Installed>,
    /// None: the installed one.
    pub current: Option<Released>,
    /// What ran before; None: the installed one.
    pub previous: Option<Released>,
    pub pending: Option<Pending>,
    pub failed: Option<Failed>,
}

/// This process.
pub struct Me {
    pub version: String,
    exe: PathBuf,
    /// It was started as one of the releases, and not as what somebody installed.
    released: bool,
}

impl Me {
    /// `started_as`: the digest of the release that this process was told it is.
    pub fn of(state: &State, started_as: Option<&str>, exe: PathBuf) -> Self {
        let releases = [
            state.current.as_ref(),
            state.pending.as_ref().and_then(|pending| pending.target.as_ref()),
            state.previous.as_ref(),
        ];
        let is_mine = |release: &&&Released| started_as == Some(release.sha256.as_str());
        let mine = releases.iter().flatten().find(is_mine);
        let version = mine.map_or(env!("CARGO_PKG_VERSION"), |release| &release.version).to_owned();
        Self { version, released: mine.is_some(), exe }
    }
}

/// What this process does first.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    Serve,
    /// It was started as what is installed, and a release took that one's place.
    Become(Released),
}

impl State {
    /// A process begins. Whatever was being tried and is not this one has not passed: its machine or its parent ended.
    pub fn begin(&mut self, me: &Me, trial: bool) -> Start {
        if trial {
            return Start::Serve;
        }
        if self.pending.is_some() {
            self.failed("gf-clawnode or its machine ended before the new program had shaken hands");
        }
        if me.released {
            return Start::Serve;
        }
        let now = Installed { version: me.version.clone(), path: me.exe.clone() };
        if self.installed.as_ref() != Some(&now) {
            // Somebody installed another one since: that is what they want to run.
            (self.current, self.previous) = (None, None);
            self.installed = Some(now);
        }
        self.current.clone().map_or(Start::Serve, Start::Become)
    }

    /// The current one cannot run at all.
    pub fn broke(&mut self, why: &str) {
        if let Some(current) = self.current.take() {
            let (key, version, why) = (String::new(), current.version, why.to_owned());
            self.failed = Some(Failed { key, version, why });
        }
    }

    pub fn passed(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.previous = std::mem::replace(&mut self.current, pending.target);
            self.failed = None;
        }
    }

    pub fn failed(&mut self, why: &str) {
        if let Some(Pending { key, version, .. }) = self.pending.take() {
            self.failed = Some(Failed { key, version, why: why.to_owned() });
        }
    }

    pub fn previous_version(&self) -> Option<String> {
        match &self.previous {
            Some(previous) => Some(previous.version.clone()),
            None => self.installed.as_ref().map(|installed| installed.version.clone()),
        }
    }

    /// The directories of the releases that may run again.
    pub fn kept(&self) -> BTreeSet<String> {
        let pending = self.pending.as_ref().and_then(|pending| pending.target.as_ref());
        let kept = [self.current.as_ref(), self.previous.as_ref(), pending];
        kept.into_iter().flatten().map(|release| release.sha256.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released(version: &str) -> Released {
        let sha256 = hex::encode(Sha256::digest(version));
        Released { version: version.into(), sha256, size: 1, signature: String::new() }
    }

    fn pending(version: &str) -> Pending {
        let (key, version, target) = ("k".into(), version.into(), Some(released(version)));
        Pending { key, version, target, within_ms: 1, process: None }
    }

    fn installed(version: &str) -> Me {
        Me { version: version.into(), exe: "/usr/bin/gf-clawnode".into(), released: false }
    }

    #[test]
    fn what_passed_runs_from_then_on_and_what_ran_before_is_the_way_back() {
        let mut state = State::default();
        assert_eq!(state.begin(&installed("0.1.0"), false), Start::Serve);
        for version in ["0.2.0", "0.3.0"] {
            state.pending = Some(pending(version));
            state.passed();
            assert_eq!(state.begin(&installed("0.1.0"), false), Start::Become(released(version)));
        }
        assert_eq!(state.previous_version().as_deref(), Some("0.2.0"));
        assert_eq!(state.kept().len(), 2);
    }

    #[test]
    fn a_machine_that_restarts_during_a_trial_comes_back_with_what_ran_before() {
        let mut state = State::default();
        state.begin(&installed("0.1.0"), false);
        state.pending = Some(pending("0.2.0"));
        assert_eq!(state.begin(&installed("0.1.0"), true), Start::Serve, "the one that is tried");
        assert!(state.pending.is_some());
        assert_eq!(state.begin(&installed("0.1.0"), false), Start::Serve);
        let failed = state.failed.clone().unwrap();
        assert_eq!((failed.key.as_str(), failed.version.as_str()), ("k", "0.2.0"));
        assert_eq!(state.pending, None);
    }

    #[test]
    fn what_somebody_installs_later_runs_instead_of_what_was_sent_before() {
        let mut state = State::default();
        state.begin(&installed("0.1.0"), false);
        state.pending = Some(pending("0.2.0"));
        state.passed();
        assert_eq!(state.begin(&installed("0.1.1"), false), Start::Serve);
        assert_eq!((&state.current, &state.previous), (&None, &None));
    }

    #[test]
    fn a_program_that_cannot_run_is_left_and_what_is_installed_runs() {
        let mut state = State::default();
        state.begin(&installed("0.1.0"), false);
        state.pending = Some(pending("0.2.0"));
        state.passed();
        state.broke("it is gone");
        assert_eq!(state.begin(&installed("0.1.0"), false), Start::Serve);
        assert_eq!(state.failed.unwrap().why, "it is gone");
    }
}
