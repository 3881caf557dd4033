//! Whose a secret is, what it is called, and how that is written in the store.

use crate::SecretsError;
use gf_model::{AccountId, Timestamp, channel::SecretName};
use serde::Serialize;
use std::fmt;

/// Whose a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Account(AccountId),
    /// The fleet's own, such as the credential of its webhooks.
    Fleet,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "{account}"),
            Self::Fleet => f.write_str("fleet"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// All that anybody is told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub scope: Scope,
    pub name: SecretName,
    pub version: u64,
    pub created_at: Timestamp,
}

/// Whether a name is one; it also keeps `#` and everything that a path could be made of out of ids.
pub(crate) fn check(name: &SecretName) -> Result<(), SecretsError> {
    let SecretName(given) = name;
    let part_is_fine = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    if given.len() <= 64 && given.split('/').all(part_is_fine) {
        Ok(())
    } else {
        Err(SecretsError::BadName { given: given.clone() })
    }
}

/// All versions of one secret: `secret/acct-0042/telegram/bot-token#`.
pub(crate) fn versions_of(scope: &Scope, name: &SecretName) -> String {
    format!("secret/{scope}/{}#", name.0)
}

pub(crate) fn of_scope(scope: &Scope) -> String {
    format!("secret/{scope}/")
}

pub(crate) fn id(scope: &Scope, name: &SecretName, version: u64) -> String {
    format!("{}{version}", versions_of(scope, name))
}

/// Name and version in an id of this scope.
pub(crate) fn parse(scope: &Scope, id: &str) -> Option<(SecretName, u64)> {
    let (name, version) = id.strip_prefix(&of_scope(scope))?.rsplit_once('#')?;
    Some((SecretName(name.to_owned()), version.parse().ok()?))
}
