//! The chats that reach an account's gateway, and what keeps two instances from both answering.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A channel of an account. The credential itself is a [`SecretName`], never a value in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountChannel {
    /// `telegram`, `irc`, `web`.
    pub kind: String,
    pub secret: Option<SecretName>,
    /// OpenClaw's own settings for the channel, without credentials.
    pub settings: serde_json::Value,
}

/// The name under which a secret is kept: `telegram/bot-token`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretName(pub String);
