//! A "no", in words for whoever asked: what was wrong, where, and what would be right.

use gf_model::BadId;
use gf_operations::{ControlError, StartError};
use gf_store::StoreError;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Stable, for programs: `unknown_tier`.
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `None` where a list of what there is would tell: whoever shows this knows where its reader finds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The HTTP status that says the same.
    #[serde(skip)]
    pub status: u16,
}

impl Refusal {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), field: None, value: None, fix: None, status }
    }

    #[must_use]
    pub fn at(mut self, field: &str, value: impl ToString) -> Self {
        self.field = Some(field.to_owned());
        self.value = Some(value.to_string());
        self
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) fn unknown(kind: &str, id: impl ToString) -> Self {
        let id = id.to_string();
        Self::new(404, &format!("unknown_{kind}"), format!("there is no {kind} {id}")).at(kind, id)
    }
}

impl From<Arc<StoreError>> for Refusal {
    fn from(error: Arc<StoreError>) -> Self {
        tracing::error!(error = %error, "the store refused a write");
        if error.may_have_happened() {
            return Self::new(503, "store_uncertain", error.to_string())
                .fix("look at what stands when the store answers again, then ask again if it is not there");
        }
        Self::new(503, "store_unavailable", format!("nothing was changed: {error}"))
            .fix("try again when the store can be written")
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Busy { ref target, .. } => {
                let target = target.clone();
                Self::new(409, "target_busy", error.to_string())
                    .at("target", target)
                    .fix("wait for that operation, or cancel it")
            }
            StartError::Frozen => Self::new(409, "frozen", error.to_string())
                .fix("a person can order it with their own key, or thaw: clawops thaw"),
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Unknown(id) => Self::unknown("operation", id),
            ControlError::WrongState { ref operation, fix, .. } => {
                Self::new(409, "wrong_state", error.to_string()).at("operation", operation).fix(fix)
            }
            ControlError::Busy { ref target, .. } => {
                let target = target.clone();
                Self::new(409, "target_busy", error.to_string())
                    .at("target", target)
                    .fix("wait for that operation, or cancel it")
            }
            ControlError::MovedOn { ref operation, .. } => Self::new(409, "moved_on", error.to_string())
                .at("operation", operation)
                .fix("ask for what is still wanted anew"),
            ControlError::NoWayBack { ref operation, fix, .. } => {
                Self::new(409, "no_way_back", error.to_string()).at("operation", operation).fix(fix)
            }
            ControlError::Store(error) => error.into(),
        }
    }
}

impl From<BadId> for Refusal {
    fn from(error: BadId) -> Self {
        Self::new(400, "bad_id", error.to_string()).at("id", &error.given).fix(error.expected)
    }
}

/// What policy refused, with the rule and what would be right.
pub(crate) fn by_policy(refused: &gf_policy::Refused) -> Refusal {
    let mut refusal = Refusal::new(403, &refused.rule, refused.message.clone());
    if let Some(fix) = &refused.fix {
        refusal = refusal.fix(fix.clone());
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_may_have_been_kept_is_not_said_to_be_undone() {
        let lost = |error| Refusal::from(Arc::new(error));
        let (place, source) = ("postgres://gf@localhost:5432/fleet".to_owned(), "cut");
        let uncertain = lost(StoreError::Uncertain { place: place.clone(), source: source.into() });
        assert_eq!((uncertain.status, uncertain.code.as_str()), (503, "store_uncertain"));
        assert!(!uncertain.message.contains("nothing was changed"), "{uncertain}");
        let known = lost(StoreError::Cut { place, source: source.into() });
        assert!(
            known.code == "store_unavailable" && known.message.contains("nothing was changed"),
            "{known}"
        );
    }
}
