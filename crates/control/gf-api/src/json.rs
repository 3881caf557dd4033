//! Reading bodies and queries, so that what is wrong with them is said in the API's own words.

use crate::problem::Problem;
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

/// A JSON body; an absent one reads as `{}`.
pub struct Body<T>(pub T);

/// The query string.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|why| Problem::bad_request("unreadable_body", why.to_string()))?;
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|why| Problem::bad_request("malformed_query", why.body_text()))
    }
}

/// The value of a JSON text; serde's own words name the field, the place and what was expected.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|why| say(&why.to_string()))
}

/// The value of a JSON document.
pub fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|why| say(&why.to_string()))
}

fn say(why: &str) -> Problem {
    let quoted = why.split('`').nth(1);
    let problem = |code| Problem::bad_request(code, why.to_owned());
    match (why, quoted) {
        (why, Some(field)) if why.starts_with("unknown field") => {
            let fix = why.split_once("expected ").map_or("leave it out".to_owned(), |(_, rest)| {
                format!("use {}", rest.split(" at line").next().unwrap_or(rest))
            });
            Problem { field: Some(field.to_owned()), ..problem("unknown_field").fix(fix) }
        }
        (why, Some(field)) if why.starts_with("missing field") => {
            Problem { field: Some(field.to_owned()), ..problem("missing_field").fix(format!("give {field}")) }
        }
        (why, _)
            if why.starts_with("invalid")
                || why.starts_with("unknown variant")
                || why.starts_with("data did") =>
        {
            problem("wrong_type")
        }
        _ => problem("malformed_json").fix("send one JSON object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Two {
        #[allow(dead_code, reason = "only its absence matters")]
        a: u8,
    }

    #[test]
    fn a_bad_body_is_told_what_would_be_right() {
        let of = |text: &str| parse::<Two>(text.as_bytes()).unwrap_err();
        let unknown = of(r#"{"a":1,"b":2}"#);
        assert_eq!((unknown.code.as_str(), unknown.field.as_deref()), ("unknown_field", Some("b")));
        assert_eq!(unknown.fix.as_deref(), Some("use `a`"));
        let missing = of("{}");
        assert_eq!((missing.code.as_str(), missing.field.as_deref()), ("missing_field", Some("a")));
        assert_eq!(of("").code, "missing_field");
        assert_eq!(of("{").code, "malformed_json");
        assert_eq!(of(r#"{"a":"x"}"#).code, "wrong_type");
    }
}
