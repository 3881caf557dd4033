//! Everything that can go wrong, said to a person: what, which value, what would be right.

use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub type Result<T> = std::result::Result<T, Problem>;

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The control plane answered, and the answer is no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("ClawOps is not running ({what} does not answer at {addr}); start it with `clawops up`")]
    NotRunning { what: &'static str, addr: String },
    #[error("{what} {value:?}: {fix}")]
    Bad { what: &'static str, value: String, fix: String },
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the control plane's answer to {path} is not what this clawops expects: {problem}")]
    Unexpected { path: String, problem: String },
    #[error("{0}")]
    OpenClaw(Box<openclaw_client::Error>),
    #[error("{0}")]
    OpsGateway(Box<ops_gateway::Error>),
    /// A part of ClawOps did not start; the end of its log is part of the message.
    #[error("{process} {problem}")]
    Start { process: String, problem: String },
    #[error("nothing was changed: {0}")]
    NotAgreed(String),
    #[error("{0}")]
    Failed(String),
}

impl From<openclaw_client::Error> for Problem {
    fn from(error: openclaw_client::Error) -> Self {
        Self::OpenClaw(Box::new(error))
    }
}

impl From<ops_gateway::Error> for Problem {
    fn from(error: ops_gateway::Error) -> Self {
        Self::OpsGateway(Box::new(error))
    }
}

impl Problem {
    pub fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// 1 something failed, 3 refused, 4 not running, 5 a person has to agree first. (2 is a wrong command line.)
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 3,
            Self::NotRunning { .. } => 4,
            Self::NotAgreed(_) => 5,
            _ => 1,
        })
    }
}

/// The error body of the REST API.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Refusal {
    #[serde(skip)]
    pub status: u16,
    #[serde(default)]
    pub code: String,
    pub message: String,
    #[serde(default)]
    pub field: Option<String>,
    #[serde(default)]
    pub value: Option<String>,
    #[serde(default)]
    pub fix: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(field) = &self.field {
            write!(f, "\n  field: {field}")?;
        }
        if let Some(value) = &self.value {
            write!(f, "\n  value: {value}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  fix:   {fix}")?;
        }
        Ok(())
    }
}
