//! Why a command failed, in the words that go back to the control plane.

use crate::instance::Obstacle;
use gf_node_proto::{CommandFailure, FailureCode, FailureReason};
use std::{fmt, io};

/// A failure with its field, value and remedy where there are such.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub Box<CommandFailure>);

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(code: FailureCode, message: impl fmt::Display) -> Self {
        Self(Box::new(CommandFailure {
            code: code.into(),
            message: message.to_string(),
            ..CommandFailure::default()
        }))
    }

    pub fn invalid(field: &str, value: impl fmt::Display, fix: impl fmt::Display) -> Self {
        let mut failure =
            Self::new(FailureCode::InvalidArgument, format!("{field}: {value} cannot be used; {fix}"));
        failure.0.field = field.to_owned();
        failure.0.value = value.to_string();
        failure.0.fix = fix.to_string();
        failure
    }

    #[must_use]
    pub fn because(mut self, reason: FailureReason) -> Self {
        self.0.reason = reason.into();
        self
    }

    #[must_use]
    pub fn with_issues(mut self, issues: Vec<String>) -> Self {
        self.0.issues = issues;
        self
    }

    pub fn code(&self) -> FailureCode {
        self.0.code()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        match why.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new(FailureCode::DiskFull, why).because(FailureReason::DiskFull)
            }
            _ => Self::new(FailureCode::Io, why),
        }
    }
}

impl From<Obstacle> for Failure {
    fn from(obstacle: Obstacle) -> Self {
        Self::new(FailureCode::InstanceFailed, &obstacle.detail).because(obstacle.reason)
    }
}

impl From<openclaw_client::Error> for Failure {
    fn from(why: openclaw_client::Error) -> Self {
        let code = match &why {
            openclaw_client::Error::Unreachable { .. } => FailureCode::NotRunning,
            openclaw_client::Error::Timeout { .. } => FailureCode::TimedOut,
            _ => FailureCode::Openclaw,
        };
        Self::new(code, why)
    }
}
