//! The one body that every error of the API has: what was wrong, where, and what would be right.
//!
//! It must never carry a secret: what somebody sent in place of a key is not repeated to them.

use crate::lists;
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use gf_model::BadId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A refusal as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Problem {
    #[serde(skip)]
    pub status: u16,
    /// For programs: `unknown_tier`.
    pub code: String,
    /// For people.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The whole body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemBody {
    pub error: Problem,
}

/// What handlers return.
pub type Answer<T> = Result<Json<T>, Problem>;

/// Longer values are cut: an error is no place to send a body back.
const LONGEST_VALUE: usize = 200;

impl Problem {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            message: message.into(),
            field: None,
            value: None,
            fix: None,
        }
    }

    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn not_found(kind: &str, id: impl ToString) -> Self {
        let id = id.to_string();
        Self::new(StatusCode::NOT_FOUND, &format!("unknown_{kind}"), format!("there is no {kind} {id:?}"))
            .at(kind, id)
    }

    /// As an agent is told it: it has no command line, and passes on to people what it reads.
    pub fn for_agent(mut self) -> Self {
        self.fix = self.fix.or_else(|| lists::for_agent(&self.code).map(str::to_owned));
        self
    }

    /// The control plane itself cannot: nothing was done.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a request could not be served");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the control plane could not do this; its log says why",
        )
        .fix("see logs/gatewayforge.log")
    }

    pub fn at(mut self, field: &str, value: impl ToString) -> Self {
        let mut value = value.to_string();
        if let Some((cut, _)) = value.char_indices().nth(LONGEST_VALUE) {
            value.truncate(cut);
            value.push('…');
        }
        self.field = Some(field.to_owned());
        self.value = Some(value);
        self
    }

    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl IntoResponse for Problem {
    /// Where the problem says no fix, a person is told where to find what there is.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let fix = self.fix.or_else(|| lists::for_person(&self.code).map(str::to_owned));
        // What a program acts on stands in a header too: when to ask again, and what the object is now.
        let header = self.field.as_deref().filter(|field| matches!(*field, "Retry-After" | "ETag"));
        let header = header
            .and_then(|name| HeaderName::try_from(name).ok())
            .zip(self.value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()));
        let headers: HeaderMap = header.into_iter().collect();
        (status, headers, Json(ProblemBody { error: Self { fix, ..self } })).into_response()
    }
}

/// A name that somebody typed, as the field that it stood in.
pub fn bad_id(field: &str, why: &BadId) -> Problem {
    Problem::bad_request("malformed_id", why.to_string())
        .at(field, &why.given)
        .fix(format!("give {}", why.expected))
}

/// Reads a name that somebody typed.
pub fn parse_id<T>(field: &str, given: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err = BadId>,
{
    given.parse().map_err(|why| bad_id(field, &why))
}
