//! Who may ask for things: people, agents of the ops gateway, and services.

use crate::PersonId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PersonRole {
    Viewer,
    Operator,
    Approver,
    Admin,
}

/// A sender as a channel knows it: `telegram` + `777`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelIdentity {
    pub channel: String,
    pub sender: String,
}

impl ChannelIdentity {
    /// Whether the channel vouches for the sender. An IRC nickname is whatever somebody typed.
    pub fn proves_who_sent(&self) -> bool {
        matches!(self.channel.as_str(), "telegram" | "whatsapp" | "slack" | "discord")
    }
}

/// A person's own signing key, as far as others may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// The beginning of the public key's SHA-256, hex.
    pub id: String,
    /// Ed25519, base64.
    pub public_key: String,
    pub added_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: PersonId,
    /// As an approval names them.
    pub first_name: String,
    pub role: PersonRole,
    pub identities: Vec<ChannelIdentity>,
    /// SHA-256 of each API key, hex. The key itself is shown once and kept nowhere.
    pub key_sha256: Vec<String>,
    /// By which this person signs a yes. The private halves never come here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing_keys: Vec<SigningKey>,
    /// IANA name of the zone that times are shown in beside UTC.
    pub zone: Option<String>,
    pub created_at: Timestamp,
    pub disabled: bool,
}

/// Who asked, as the control plane found out by itself; never a parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "kind", content = "id")]
pub enum Principal {
    Person(PersonId),
    /// An agent of the ops gateway, by its id there.
    Agent(String),
    /// The control plane's own reconcilers and other services.
    Service(String),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "{id}"),
            Self::Agent(name) => write!(f, "agent {name}"),
            Self::Service(name) => write!(f, "service {name}"),
        }
    }
}
