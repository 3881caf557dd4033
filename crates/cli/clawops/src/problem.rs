//! Everything that can go wrong, said to a person: what, which value, what would be right.

use serde::Deserialize;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};

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
    /// What was typed cannot be meant.
    #[error("{what}: {problem}\n  fix:   {fix}")]
    Usage { what: String, problem: String, fix: String },
    #[error("cannot use {path}: {source}{}", advice(source))]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the control plane's answer to {path} is not what this clawops expects: {problem}")]
    Unexpected { path: String, problem: String },
    #[error("{}", with_causes(.0))]
    OpenClaw(Box<openclaw_client::Error>),
    #[error("{}", with_causes(.0))]
    OpsGateway(Box<ops_gateway::Error>),
    /// A part of ClawOps did not start; the end of its log is part of the message.
    #[error("{process} {problem}")]
    Start { process: String, problem: String },
    #[error("nothing was changed: {0}")]
    NotAgreed(String),
    /// The person left; the work goes on.
    #[error("{0} goes on without you; `clawops op watch {0}` follows it again")]
    LeftRunning(String),
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

    /// 1 something failed, 2 the command line is wrong, 3 refused, 4 not running, 5 a person has to agree first.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Refused(_) => 3,
            Self::NotRunning { .. } => 4,
            Self::NotAgreed(_) => 5,
            Self::LeftRunning(_) => 130,
            _ => 1,
        }
    }

    /// For programs: the control plane's own error body where there is one, with the exit code beside.
    pub fn to_json(&self) -> Value {
        let (code, message) = match self {
            Self::Refused(refusal) => (refusal.code.as_str(), refusal.message.clone()),
            Self::Usage { .. } => ("usage", self.to_string()),
            Self::NotRunning { .. } => ("not_running", self.to_string()),
            Self::NotAgreed(_) => ("not_agreed", self.to_string()),
            Self::LeftRunning(_) => ("left_running", self.to_string()),
            _ => ("failed", self.to_string()),
        };
        let mut error = json!({ "code": code, "message": message });
        if let Self::Refused(refusal) = self {
            let told = [("field", &refusal.field), ("value", &refusal.value), ("fix", &refusal.fix)];
            for (name, value) in told {
                if let Some(value) = value {
                    error[name] = json!(value);
                }
            }
        }
        json!({ "error": error, "exitCode": self.exit_code() })
    }
}

/// The error and everything under it, because the reason is often the last of them.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    for cause in causes {
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// What to do about a file that cannot be used.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "\n  fix:   give it to the user who runs clawops (chown -R, chmod -R u+rwX), or choose another directory with --home"
        }
        io::ErrorKind::ReadOnlyFilesystem => "\n  fix:   choose a directory that can be written, with --home",
        io::ErrorKind::StorageFull => "\n  fix:   make room on that disk; nothing was lost",
        io::ErrorKind::NotADirectory => {
            "\n  fix:   a part of that path is a file; choose another directory with --home"
        }
        _ => "",
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_field_value_and_fix_apart() {
        let refusal = Refusal {
            code: "unknown_tier".into(),
            message: "gold is not a tier".into(),
            field: Some("tier".into()),
            value: Some("gold".into()),
            fix: Some("use nano".into()),
            ..Refusal::default()
        };
        let told = Problem::Refused(Box::new(refusal)).to_json();
        assert_eq!(told["error"]["field"], "tier");
        assert_eq!(told["error"]["fix"], "use nano");
        assert_eq!(told["exitCode"], 3);
    }

    #[test]
    fn the_cause_under_an_error_is_told_too() {
        let source = io::Error::other("disk quota exceeded");
        let path = PathBuf::from("/srv/x");
        let problem = Problem::from(ops_gateway::Error::File { action: "write", path, source });
        assert_eq!(problem.to_string(), "cannot write /srv/x: disk quota exceeded");
    }

    #[test]
    fn a_file_that_may_not_be_written_is_named_with_what_to_do() {
        let denied = Problem::file(Path::new("/srv/x"), io::ErrorKind::PermissionDenied.into()).to_string();
        assert!(denied.contains("/srv/x") && denied.contains("--home"), "{denied}");
    }
}
