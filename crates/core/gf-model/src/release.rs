//! A release of gf-clawnode as the fleet speaks of it: a version, and what its bytes are.
//!
//! It is signed by a key that no control plane holds; whether it is believed is each node's to say.

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    pub version: String,
    /// In hexadecimal, as is the signature.
    pub sha256: String,
    pub size: u64,
    pub signature: String,
}

impl Release {
    pub fn is_version(text: &str) -> bool {
        Version::parse(text).is_ok()
    }

    /// `None` where one of the two is no version.
    pub fn is_newer_than(&self, software: &str) -> Option<bool> {
        Some(Version::parse(&self.version).ok()? > Version::parse(software).ok()?)
    }
}
