//! What keeps the ops gateway from being set up, started or trusted, in words for whoever runs `clawops up`.

use std::path::PathBuf;
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {action} {path}")]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not as it should be: {problem}")]
    Malformed { path: PathBuf, problem: String },
    #[error("there is no {what} at {path}; run `cargo xtask up`, which installs it")]
    NotInstalled { what: &'static str, path: PathBuf },
    #[error(
        "model {value:?} is not understood: {problem}; write provider/model base-url=… and, with a key, key-file=…"
    )]
    Model { value: String, problem: String },
    #[error("cannot start {program}")]
    Spawn {
        program: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("OpenClaw ended while it was starting; its last words: {last_words}")]
    EndedEarly { last_words: String },
    #[error("OpenClaw could not install its package {package}, which needs the npm registry: {last_words}")]
    Package { package: &'static str, last_words: String },
    #[error("OpenClaw was not ready within {after:?}; see {log}")]
    NotReady { after: Duration, log: PathBuf },
    #[error(
        "agent {agent} must have exactly the tools of the team file, but has {extra:?} too many and lacks {missing:?}"
    )]
    Tools { agent: String, extra: Vec<String>, missing: Vec<String> },
    #[error("OpenClaw with process id {pid} did not end")]
    WillNotEnd { pid: i32 },
    #[error(transparent)]
    OpenClaw(#[from] openclaw_client::Error),
}

impl Error {
    pub(crate) fn malformed(path: impl Into<PathBuf>, problem: impl ToString) -> Self {
        Self::Malformed { path: path.into(), problem: problem.to_string() }
    }
}
