//! The rules that an admin put in force instead of those that are shipped: text, judged by an engine elsewhere.

use crate::person::Principal;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleSet {
    /// Text by file name, such as `limits.cedar`.
    pub files: BTreeMap<String, String>,
    pub digest: String,
    pub applied_at: Timestamp,
    pub applied_by: Principal,
}

impl RuleSet {
    /// A fleet has one set in force.
    pub const IN_FORCE: &'static str = "in-force";
}

/// Names rules by their text: two sets with one digest say the same in the same files.
pub fn digest(files: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    hex::encode(&hasher.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_what_is_in_which_file() {
        let of = |files: &[(&str, &str)]| {
            digest(&files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
        };
        let one = of(&[("a", "permit"), ("b", "")]);
        assert_eq!(one, of(&[("b", ""), ("a", "permit")]));
        assert_ne!(one, of(&[("a", ""), ("b", "permit")]));
        assert_ne!(one, of(&[("a", "permi"), ("tb", "")]));
    }
}
